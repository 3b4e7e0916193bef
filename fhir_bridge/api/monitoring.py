"""What an operator and a balancer see: health, counts, slow requests.

``/health`` tells every peer whether the record can be read and whether all is well;
``/metrics`` and what is to be mended only those whom the settings allow.  Nothing here names
an address or a patient.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from flask import Response
from flask import request as http

from fhir_bridge import log
from fhir_bridge.access import Access
from fhir_bridge.api.board import ReadConditions
from fhir_bridge.api.errors import reply_of
from fhir_bridge.api.measures import Measures
from fhir_bridge.api.services import Services
from fhir_bridge.errors import Issue
from fhir_bridge.fhir import render_json
from fhir_bridge.ingest import pipeline_issues
from fhir_bridge.store import maintenance

__all__ = ["Chinese", "Monitor"]

_SLOW_SECONDS = 1.0


class _Text(Protocol):
    @property
    def sentence(self) -> str: ...
    @property
    def hint(self) -> str: ...


Chinese = Callable[[Issue], _Text]
"""An issue in the other language of the pages."""


def _no_conditions() -> Mapping[str, list[Issue]]:
    return {}


class Monitor:
    """Counts what is served and tells it; one for a process.

    `told` says how the feeds are, `chinese` words an issue for who reads Chinese.
    """

    def __init__(
        self,
        services: Services,
        measures: Measures | None,
        told: ReadConditions | None = None,
        chinese: Chinese | None = None,
    ) -> None:
        self._services = services
        self._measures = measures or Measures()
        self._told = told or _no_conditions
        self._chinese = chinese

    def health(self) -> Response:
        """200 when the record can be read, with "ok" or, when something fails, "degraded".

        ``issues`` is what the operator should mend, ``feeds`` how each feed is that receives
        by itself; both only for whom the settings allow.
        """
        store = self._services.store
        try:
            store.read("Patient", "0", Access.nothing())
            told = self._told()
            general = [*filter(None, [store.storage.trouble()]), *told.get("", ())]
            full = self._services.allows_metrics(http)
            index = [*maintenance.index_issues(store), *pipeline_issues(store)] if full else []
        except Exception as error:
            reply_of(error)
            return Response('{"status":"failing"}', 503, content_type="application/json")
        by_feed = {name: issues for name, issues in told.items() if name}
        wrong = [*general, *(issue for issues in by_feed.values() for issue in issues)]
        answer: dict[str, Any] = {"status": "degraded" if _fails(wrong) else "ok"}
        if full:
            unique = {each.code: each for each in (*general, *index)}
            if unique:
                answer["issues"] = [self._line(each) for each in unique.values()]
            if by_feed:
                answer["feeds"] = [
                    self._feed_line(name, issues) for name, issues in sorted(by_feed.items())
                ]
        return Response(render_json(answer), content_type="application/json")

    def _feed_line(self, name: str, issues: Iterable[Issue]) -> dict[str, Any]:
        listed = list(issues)
        status = "failing" if _fails(listed) else "warning" if listed else "ok"
        line: dict[str, Any] = {"feed": name, "status": status}
        if listed:
            line["issues"] = [self._line(each) for each in listed]
        return line

    def _line(self, issue: Issue) -> dict[str, str]:
        line = {"code": issue.code, "text": issue.sentence, "hint": issue.hint}
        if self._chinese is not None:
            chinese = self._chinese(issue)
            line |= {"text_zh": chinese.sentence, "hint_zh": chinese.hint}
        return line

    def metrics(self) -> Response:
        """Counts for Prometheus, for whom the settings allow; nobody else learns of them."""
        if not self._services.allows_metrics(http):
            return Response(status=404)
        return Response(self._measures.render(), content_type="text/plain; version=0.0.4")

    def account(self, interaction: str, status: int, seconds: float) -> None:
        """Count a request; what is slow is logged without address or content."""
        self._measures.add(interaction, status, seconds)
        if seconds >= _SLOW_SECONDS:
            log.event(
                "slow",
                level=logging.WARNING,
                kind=interaction,
                method=http.method,
                status=status,
                duration_ms=round(seconds * 1000),
            )


def _fails(issues: Iterable[Issue]) -> bool:
    return any(each.severity in ("fatal", "error") for each in issues)

"""What an operator and a balancer see: health, counts, slow requests.

``/health`` tells every peer whether the record can be read, ``/metrics`` and what is to be
mended only those whom the settings allow.  Nothing here names an address or a patient.
"""

from __future__ import annotations

import logging

from flask import Response
from flask import request as http

from fhir_bridge import log
from fhir_bridge.api.errors import reply_of
from fhir_bridge.api.measures import Measures
from fhir_bridge.api.services import Services
from fhir_bridge.fhir import render_json
from fhir_bridge.ingest import pipeline_issues
from fhir_bridge.search import Access

__all__ = ["Monitor"]

_SLOW_SECONDS = 1.0


class Monitor:
    """Counts what is served and tells it; one for a process."""

    def __init__(self, services: Services, measures: Measures | None) -> None:
        self._services = services
        self._measures = measures or Measures()

    def health(self) -> Response:
        """200 when the record can be read; ``issues`` is what the operator should mend."""
        store = self._services.store
        try:
            store.read("Patient", "0", Access.nothing())
            found = store.index_issues() if self._services.allows_metrics(http) else []
            if self._services.allows_metrics(http):
                found += pipeline_issues(store)
        except Exception as error:
            reply_of(error)
            return Response('{"status":"failing"}', 503, content_type="application/json")
        issues = [{"code": each.code, "text": each.sentence, "hint": each.hint} for each in found]
        answer = {"status": "ok", **({"issues": issues} if issues else {})}
        return Response(render_json(answer), content_type="application/json")

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

"""What an operator is told of the pipeline: what it works on, and how it fares."""

from __future__ import annotations

import json

from fhir_bridge.database import milliseconds_of
from fhir_bridge.errors import Issue
from fhir_bridge.store import Store

__all__ = ["ENDS", "pipeline_issues"]

ENDS = "pipeline ends"
"""The setting in which the service keeps how often the worker ended, why last and when."""

_LONG_SECONDS = 60
_TOLD_SECONDS = 3600


def pipeline_issues(store: Store) -> list[Issue]:
    """FB-6023 for a worker that ended within the hour, FB-6024 for work that takes long."""
    now = milliseconds_of("")
    issues = []
    ends = json.loads(store.settings.read(ENDS) or b"{}")
    if ends and now - milliseconds_of(ends["at"]) < _TOLD_SECONDS * 1000:
        details = {"reason": ends["reason"], "count": str(ends["count"])}
        issues.append(Issue("FB-6023", "warning", details=details))
    return issues + [
        Issue(
            "FB-6024",
            "information",
            details={
                "message_id": str(each.message_id),
                "feed": each.feed,
                "since": each.since,
                "count": str(each.times),
            },
        )
        for each in store.at_work.messages()
        if each.times > 1 or now - milliseconds_of(each.since) > _LONG_SECONDS * 1000
    ]

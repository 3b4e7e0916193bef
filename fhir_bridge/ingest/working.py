"""What an operator is told of the pipeline: what it works on, and how it fares."""

from __future__ import annotations

from fhir_bridge.errors import Issue
from fhir_bridge.store import Store, moment_of

__all__ = ["pipeline_issues"]

_LONG_SECONDS = 60


def pipeline_issues(store: Store) -> list[Issue]:
    """FB-6024 for work that takes long or was begun before."""
    now = moment_of("")
    return [
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
        if each.times > 1 or now - moment_of(each.since) > _LONG_SECONDS * 1000
    ]

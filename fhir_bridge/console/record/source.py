"""Where a resident's data came from: the feeds whose messages made or changed the Patient.

https://hl7.org/fhir/R4/provenance.html
"""

from __future__ import annotations

from dataclasses import dataclass

from fhir_bridge.console.reader import Reader
from fhir_bridge.console.record.labels import Labels
from fhir_bridge.console.text.display import first, minute
from fhir_bridge.fhir import Resource

__all__ = ["SourceView", "view_sources"]


@dataclass(frozen=True, slots=True)
class SourceView:
    """One feed: when its last message was recorded, and that message's Provenance."""

    name: str
    kind: str
    recorded: str
    reference: str
    messages: str


def view_sources(target: str, reader: Reader, labels: Labels) -> list[SourceView]:
    """The feeds behind `target` (``Type/id``), each with its last message."""
    by_feed: dict[str, list[Resource]] = {}
    for one in reader.find("Provenance", ("target", target), most=100):
        name = str(first(one, "agent", "who", "identifier", "value") or "")
        by_feed.setdefault(name, []).append(one)
    return [_source(name, messages, labels) for name, messages in by_feed.items()]


def _source(name: str, messages: list[Resource], labels: Labels) -> SourceView:
    last = max(messages, key=lambda one: str(one.get("recorded", "")))
    written = first(last, "agent", "who", "display")
    title, kind = labels.feeds.get(name, (str(written or name), ""))
    return SourceView(
        name=title,
        kind=kind,
        recorded=minute(last.get("recorded")),
        reference=f"Provenance/{last['id']}",
        messages=f"× {len(messages)}",
    )

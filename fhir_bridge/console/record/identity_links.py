"""Link decisions of a resident as the page shows them: who was joined, when, why, how to undo."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from fhir_bridge import clock
from fhir_bridge.console.reader import Reader
from fhir_bridge.console.record.labels import Labels
from fhir_bridge.console.text.display import minute
from fhir_bridge.identity import Decision

__all__ = ["LinkLine", "link_lines"]

_MAX_SHOWN = 20


@dataclass(frozen=True, slots=True)
class LinkLine:
    """One decision; `message` refers to its Provenance, `other` is another Patient's id."""

    when: str
    did: str
    rule: str
    feed: str
    identifiers: tuple[tuple[str, str], ...]
    message: str
    other: str
    undo: str


def link_lines(
    patient_id: str, decided: Iterable[Decision], reader: Reader, labels: Labels
) -> list[LinkLine]:
    """The latest decisions, newest first."""
    lines = [_line(patient_id, each, reader, labels) for each in [*decided][-_MAX_SHOWN:]]
    return lines[::-1]


def _line(patient_id: str, decision: Decision, reader: Reader, labels: Labels) -> LinkLine:
    words, language = labels.words, labels.words.language
    message = clock.stable_id("Provenance", decision.feed, decision.message)
    said = decision.message and reader.resource("Provenance", message)
    other = decision.other if decision.other != patient_id else decision.patient_id
    return LinkLine(
        when=minute(decision.at),
        did=decision.kind,
        rule=words.get(f"rule_{decision.rule}", decision.rule),
        feed=labels.feeds.get(decision.feed, (decision.feed, ""))[0],
        identifiers=tuple(
            (labels.names.name({"system": system}, language), value)
            for system, value in decision.identifiers
        ),
        message=f"Provenance/{message}" if said else "",
        other=other if other and other != patient_id else "",
        undo=f"fhir-bridge unlink {decision.number}" if decision.can_be_undone else "",
    )

"""Contradictions between sources as the first page shows them: who, why, and how to look closer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from fhir_bridge.console.text.display import minute
from fhir_bridge.console.text.identifier_names import IdentifierNames
from fhir_bridge.console.text.language import Words
from fhir_bridge.store import ReviewItem

__all__ = ["ReviewLine", "review_lines"]


_MAX_NUMBERS = 20


@dataclass(frozen=True, slots=True)
class ReviewLine:
    """One item; `patients` are ids, `numbers` are (name of the system, masked value)."""

    when: str
    why: str
    feed: str
    patients: tuple[str, ...]
    numbers: tuple[tuple[str, str], ...]
    command: str


def review_lines(
    items: Iterable[ReviewItem], names: IdentifierNames, words: Words
) -> list[ReviewLine]:
    """The items as lines, in their order."""
    return [
        ReviewLine(
            when=minute(item.at),
            why=words.get(f"held_{item.kind}", item.kind),
            feed=item.feed,
            patients=tuple(each for each in (item.patient_id, item.other_id) if each),
            numbers=tuple(
                (names.name({"system": system}, words.language), value)
                for system, value in item.detail.get("numbers", ())[:_MAX_NUMBERS]
            ),
            command=f"fhir-bridge held {item.number}",
        )
        for item in items
    ]

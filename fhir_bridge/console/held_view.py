"""Contradictions between sources as the first page shows them: who, why, and how to look closer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from fhir_bridge.console.display import minute
from fhir_bridge.console.identifier_names import IdentifierNames
from fhir_bridge.console.language import Words
from fhir_bridge.store import ReviewItem

__all__ = ["HeldLine", "held_lines"]


_MOST_NUMBERS = 20


@dataclass(frozen=True, slots=True)
class HeldLine:
    """One item; `patients` are ids, `numbers` are (name of the system, masked value)."""

    when: str
    why: str
    feed: str
    patients: tuple[str, ...]
    numbers: tuple[tuple[str, str], ...]
    command: str


def held_lines(items: Iterable[ReviewItem], names: IdentifierNames, words: Words) -> list[HeldLine]:
    """The items as lines, in their order."""
    return [
        HeldLine(
            when=minute(item.at),
            why=words.get(f"held_{item.kind}", item.kind),
            feed=item.feed,
            patients=tuple(each for each in (item.patient_id, item.other_id) if each),
            numbers=tuple(
                (names.name({"system": system}, words.language), value)
                for system, value in item.detail.get("numbers", ())[:_MOST_NUMBERS]
            ),
            command=f"fhir-bridge held {item.number}",
        )
        for item in items
    ]

"""``part_of(text, separator, number)``: one part of a text that holds several."""

from __future__ import annotations

from fhir_bridge.fhir.marks import NULL, is_null

RESULT = "string"


def part_of(text: str | None, separator: str, number: int) -> str | None:
    """Part `number` (from 1) of `text` cut at `separator`, without outer blanks.

    Nothing when there is no such part or it is blank.

    >>> part_of("120/80", "/", 2), part_of("120", "/", 2)
    ('80', None)
    """
    if not text or is_null(text):
        return NULL if text else None
    parts = str(text).split(separator)
    return (parts[number - 1].strip() or None) if 1 <= number <= len(parts) else None

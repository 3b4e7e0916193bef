"""The comparison before an ordered value: ``ge2026-01``.

https://hl7.org/fhir/R4/search.html#prefix
"""

from __future__ import annotations

__all__ = ["ORDERED", "split_prefix"]

ORDERED = ("eq", "ne", "gt", "lt", "ge", "le", "ap", "sa", "eb")
"""The comparisons of dates, numbers and quantities."""

_PREFIXES = frozenset(ORDERED)


def split_prefix(text: str) -> tuple[str, str]:
    """The prefix (eq when there is none) and the rest.

    >>> split_prefix("ge2026"), split_prefix("5.4")
    (('ge', '2026'), ('eq', '5.4'))
    """
    return (text[:2], text[2:]) if text[:2] in _PREFIXES else ("eq", text)

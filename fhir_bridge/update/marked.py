"""What marks in a stated value say: taken back, or supposed (`fhir_bridge.fhir.marks`).

HL7 v2.5.1 section 2.5.3.4 (the null ``""``).  A value is taken back when a null stands in it
and nothing is left beside it but what tells its kind.
"""

from __future__ import annotations

from typing import Any

from fhir_bridge.fhir import marks
from fhir_bridge.fhir.marks import NULL, USUAL

__all__ = ["is_null", "unmarked"]

_KIND_ONLY = frozenset(
    [
        "extension",
        "period",
        "preferred",
        "rank",
        "role",
        "status",
        "system",
        "type",
        "unit",
        "url",
        "use",
    ]
)


def is_null(text: str) -> bool:
    """Whether a text holds the null."""
    return NULL in text


def unmarked(value: Any) -> tuple[Any, bool]:
    """The value without marks, None when it is taken back; and whether it is only usual."""
    walk = _Marks()
    kept = walk.taken_off(value)
    if walk.null and not _says_something(kept):
        return None, False
    return kept, walk.usual


class _Marks:
    """One walk over a value."""

    __slots__ = ("null", "usual")

    def __init__(self) -> None:
        self.null = self.usual = False

    def taken_off(self, value: Any) -> Any:
        kind = type(value)
        if kind is str:
            if NULL in value:
                self.null = True
                return None
            if value[:1] == USUAL:
                self.usual = True
                return marks.unmarked(value)
            return value
        if kind is dict:
            kept = {
                key: part for key, old in value.items() if (part := self.taken_off(old)) is not None
            }
            return kept or None
        if kind is list:
            return [part for item in value if (part := self._item(item)) is not None] or None
        return value

    def _item(self, item: Any) -> Any:
        """An item of a list; one with a null that says nothing else goes."""
        outer, self.null = self.null, False
        kept = self.taken_off(item)
        if self.null and not _says_something(kept):
            kept = None
        self.null = self.null or outer
        return kept


def _says_something(value: Any) -> bool:
    """Whether more is left than the kind of a thing."""
    if isinstance(value, dict):
        return any(_says_something(part) for key, part in value.items() if key not in _KIND_ONLY)
    if isinstance(value, list):
        return any(_says_something(item) for item in value)
    return value is not None

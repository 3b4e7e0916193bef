"""What marks in a stated value say: taken back, or supposed (`fhir_bridge.fhir.marks`).

HL7 v2.5.1 section 2.5.3.4 (the null ``""``).  A value is taken back when a null is in it
and nothing is left beside it but what tells its kind.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from fhir_bridge.fhir import marks
from fhir_bridge.fhir.marks import NULL, USUAL

__all__ = ["Plain", "is_null", "unmarked", "unmarked_properties"]

_KIND_ONLY = frozenset(
    [
        "extension",
        "function",
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

_BESIDE_VALUE = frozenset([*_KIND_ONLY, "code", "comparator", "currency"])


def is_null(text: str) -> bool:
    """Whether a text holds the null."""
    return NULL in text


class Plain(NamedTuple):
    """A value without its marks; None when it is taken back.

    `is_usual`: it is only supposed; `is_instead`: and stands for what is taken back.
    """

    value: Any
    is_usual: bool = False
    is_instead: bool = False


def unmarked(value: Any) -> Plain:
    """What a marked value says."""
    if type(value) is str:  # most are: a status that is supposed
        if NULL in value:
            return Plain(None)
        if value[:1] != USUAL:
            return Plain(value)
        return Plain(marks.unmarked(value), True, marks.is_instead(value))
    walk = _Marks()
    kept = walk.taken_off(value)
    if walk.null and not _says_something(kept):
        return Plain(None)
    return Plain(kept, walk.usual, walk.instead or (walk.null and walk.usual))


def unmarked_properties(properties: Mapping[str, Any]) -> Plain:
    """What the JSON properties of an element, or of elements that belong together, say."""
    if len(properties) == 1:
        ((key, value),) = properties.items()
        plain = unmarked(value)
        return plain if plain.value is None else plain._replace(value={key: plain.value})
    kept = {key: unmarked(value) for key, value in properties.items()}
    values = {key: plain.value for key, plain in kept.items() if plain.value is not None}
    is_usual = any(plain.is_usual for plain in kept.values())
    is_null = len(values) < len(kept)
    is_instead = any(plain.is_instead for plain in kept.values()) or (is_usual and is_null)
    return Plain(values or None, is_usual, is_instead)


class _Marks:
    """One walk over a value."""

    __slots__ = ("instead", "null", "usual")

    def __init__(self) -> None:
        self.null = self.usual = self.instead = False

    def taken_off(self, value: Any) -> Any:
        kind = type(value)
        if kind is str:
            if NULL in value:
                self.null = True
                return None
            if value[:1] == USUAL:
                self.usual = True
                self.instead = self.instead or marks.is_instead(value)
                return marks.unmarked(value)
            return value
        if kind is dict:
            kept = {
                key: part for key, old in value.items() if (part := self.taken_off(old)) is not None
            }
            if "value" in value and "value" not in kept and kept.keys() <= _BESIDE_VALUE:
                return None
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

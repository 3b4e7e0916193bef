"""Segments of one name that are told apart by some of their fields: counted, placed, found.

OBX of one order that differ in nothing but their place, orders that share a number: what a map
asks of one of them is worked out for all at once, so that a long message costs no more for each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from .segment import Segment

__all__ = ["Alike"]

_Own = tuple[str, ...]


class Alike:
    """The segments of one message, in order, whose first components are compared.

    `separator` parts components.
    """

    __slots__ = ("_counts", "_firsts", "_places", "_segments", "_separator")

    def __init__(self, segments: Sequence[Segment], separator: str) -> None:
        self._segments = segments
        self._separator = separator
        self._places: dict[tuple[str, str, tuple[int, ...]], dict[int, int]] = {}
        self._counts: dict[tuple[str, tuple[int, ...]], Counter[_Own]] = {}
        self._firsts: dict[tuple[str, tuple[str, ...]], dict[_Own, Segment]] = {}

    def place(self, segment: Segment, leader: str, fields: tuple[int, ...]) -> int:
        """The how-manieth (from 1) of its name with the same first components of `fields`.

        Counting begins again at each segment called `leader` (or as one of its words).
        """
        key = (segment.name, leader, fields)
        places = self._places.get(key)
        if places is None:
            places = self._places[key] = self._placed(*key)
        return places[segment.number]

    def count(self, segment: Segment, fields: tuple[int, ...]) -> int:
        """How many segments of its name have the same first components of `fields`, with itself."""
        key = (segment.name, fields)
        counts = self._counts.get(key)
        if counts is None:
            counts = self._counts[key] = Counter(
                self._own(each, fields) for each in self._segments if each.name == segment.name
            )
        return counts[self._own(segment, fields)]

    def first(self, name: str, fields: tuple[str, ...], texts: _Own) -> Segment | None:
        """The first segment called `name` whose `fields` (``f3``) begin with these components."""
        key = (name, fields)
        firsts = self._firsts.get(key)
        if firsts is None:
            firsts = self._firsts[key] = {}
            for each in self._segments:
                if each.name == name:
                    firsts.setdefault(tuple(_begin(each.get(field)) for field in fields), each)
        return firsts.get(texts)

    def _own(self, segment: Segment, fields: tuple[int, ...]) -> _Own:
        """The first components of `fields`, or the whole field where the first is empty."""
        separator, texts = self._separator, segment.fields
        return tuple(
            texts[number].split(separator, 1)[0] or texts[number]
            for number in fields
            if number < len(texts)
        )

    def _placed(self, name: str, leader: str, fields: tuple[int, ...]) -> dict[int, int]:
        counts: dict[_Own, int] = {}
        places: dict[int, int] = {}
        leaders = leader.split()
        for segment in self._segments:
            if segment.name in leaders:
                counts = {}
            if segment.name == name:
                own = self._own(segment, fields)
                places[segment.number] = counts[own] = counts.get(own, 0) + 1
        return places


def _begin(value: Any) -> str:
    """The first component of a field's first value; empty where there is none."""
    first = value[0] if isinstance(value, list) else value
    return "" if first is None else str(first)

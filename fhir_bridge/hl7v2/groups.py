"""Segment groups as nodes, such as ORDER_OBSERVATION, and what stands in them by name.

HL7 v2.5.1 section 2.5.2 (segment groups) and the abstract message syntax of section 2.12;
https://www.hl7.org/implement/standards/product_brief.cfm?product_id=144
See :mod:`.message` for how nodes answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .segment import Segments
from .structure import Instance

__all__ = ["Group", "find_in", "names_in", "one_or_list"]


class Group:
    """One occurrence of a segment group, such as ORDER_OBSERVATION."""

    __slots__ = ("instance", "message")

    def __init__(self, message: Segments, instance: Instance) -> None:
        self.message = message
        self.instance = instance

    @property
    def type_name(self) -> str:
        """The group's name."""
        return self.instance.part.name

    @property
    def where(self) -> str:
        """Where its first segment stands."""
        item: int | Instance = self.instance
        while isinstance(item, Instance):
            item = item.items[0]
        return self.message.segments[item].where

    def get(self, name: str, default: Any = None) -> Any:
        """Segments or groups called `name` in this group: None, one, or a list in order."""
        return one_or_list(find_in(self.message, self.instance, name), default)

    @property
    def read_parts(self) -> dict[str, Any]:
        """What it holds, by name."""
        return {name: self.get(name) for name in self.keys()}

    def keys(self) -> list[str]:
        """The names of what this group holds directly, in order."""
        return names_in(self.message, self.instance)


def find_in(message: Segments, instance: Instance, name: str) -> list[Any]:
    """Items called `name`: the direct ones if the structure puts it here, else all inside."""
    direct = any(part.name == name for part in instance.part.parts)
    return list(_collect(message, instance, name, deep=not direct))


def _collect(message: Segments, instance: Instance, name: str, *, deep: bool) -> Iterator[Any]:
    for item in instance.items:
        if isinstance(item, int):
            if message.encoding.names[item] == name:
                yield message.segments[item]
        elif item.part.name == name:
            yield Group(message, item)
        elif deep:
            yield from _collect(message, item, name, deep=True)


def one_or_list(items: list[Any], default: Any) -> Any:
    """What a node answers: `default`, the one that there is, or all of them."""
    if not items:
        return default
    return items[0] if len(items) == 1 else items


def names_in(message: Segments, instance: Instance) -> list[str]:
    """The names of what an occurrence holds directly, in order."""
    names = (
        message.encoding.names[item] if isinstance(item, int) else item.part.name
        for item in instance.items
    )
    return list(dict.fromkeys(names))

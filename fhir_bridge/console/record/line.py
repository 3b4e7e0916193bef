"""The plain line of a list: what it is called, when it was, where it leads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from fhir_bridge.console.text.display import day
from fhir_bridge.fhir import Resource

__all__ = ["Line", "day_of", "line", "newest_of_each_name", "place_of"]


@dataclass(frozen=True, slots=True)
class Line:
    """A condition, a task, a vaccination, a document; `reference` is ``Type/id``."""

    reference: str
    name: str
    when: str


class _HasName(Protocol):
    @property
    def name(self) -> str: ...


_Named = TypeVar("_Named", bound=_HasName)


def line(resource: Resource, name: str, when: Any) -> Line:
    """The line of `resource`; one without a name is called by its place."""
    return Line(place_of(resource), name or place_of(resource), day_of(when))


def place_of(resource: Resource) -> str:
    """``Type/id``, where a line leads."""
    return f"{resource['resourceType']}/{resource['id']}"


def day_of(when: Any) -> str:
    """The day of an instant or date; "" for what is neither."""
    return day(when if isinstance(when, str) else "")


def newest_of_each_name(lines: Iterable[_Named]) -> list[_Named]:
    """Lines of the same name once; they come newest first, and the first stands for them."""
    found: dict[str, _Named] = {}
    for each in lines:
        found.setdefault(each.name, each)
    return list(found.values())

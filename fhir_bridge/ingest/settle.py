"""References made final and marks told, in one walk over a mapped resource.

References inside the Bundle (by fullUrl) and conditional ones become ``Type/id``; one to an
entry that is taken back is itself taken back.  Marks stay where they are: which properties
hold them is told, for the rule of update to read (`fhir_bridge.update`).
https://hl7.org/fhir/R4/bundle.html#references
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fhir_bridge.fhir import Resource
from fhir_bridge.fhir.marks import NULL, USUAL

from .awaited import ByNumber
from .naming import named_by_number

__all__ = ["settle"]


def settle(
    resource: Resource, places: Mapping[str, str], owner: str, met: list[ByNumber]
) -> frozenset[str]:
    """Settles `resource` in place; the properties that hold a mark.

    `places` are the references behind the names of the Bundle's entries; references by number
    are added to `met`.
    """
    walk = _Walk(places, owner, met)
    marked: list[str] = []
    for key, value in resource.items():
        walk.is_marked = False
        kind = type(value)
        if kind is dict:
            walk.node(value)
        elif kind is list:
            walk.items(value)
        elif kind is str:
            walk.look(value)
        if walk.is_marked:
            marked.append(key)
    return frozenset(marked)


class _Walk:
    """One walk; says whether it met a mark."""

    __slots__ = ("is_marked", "met", "owner", "places")

    def __init__(self, places: Mapping[str, str], owner: str, met: list[ByNumber]) -> None:
        self.places = places
        self.owner = owner
        self.met = met
        self.is_marked = False

    def look(self, text: str) -> None:
        """One text of the resource."""
        if not text.isascii() and (text[0] == USUAL or NULL in text):
            self.is_marked = True

    def node(self, node: dict[str, Any]) -> None:
        """An object: its reference is made final."""
        for key, value in node.items():
            kind = type(value)
            if kind is str:
                text = self._reference(node, value) if key == "reference" else value
                if text is not value:
                    node[key] = text
                if not text.isascii() and (text[0] == USUAL or NULL in text):
                    self.is_marked = True
            elif kind is dict:
                self.node(value)
            elif kind is list:
                self.items(value)

    def items(self, items: list[Any]) -> None:
        """The items of a list."""
        for item in items:
            kind = type(item)
            if kind is dict:
                self.node(item)
            elif kind is str:
                self.look(item)
            elif kind is list:
                self.items(item)

    def _reference(self, node: dict[str, Any], value: str) -> str:
        found = self.places.get(value)
        if found is not None:
            return found
        named = named_by_number(value, self.owner) if "?" in value else None
        if named is None:
            return value
        self.met.append(ByNumber(node, *named))
        return named[0]

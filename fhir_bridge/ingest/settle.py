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
from .naming import resolve_conditional

__all__ = ["settle"]


def settle(
    resource: Resource, places: Mapping[str, str], owner: str, met: list[ByNumber]
) -> frozenset[str]:
    """Settles `resource` in place; the properties that hold a mark.

    `places` are the references behind the names of the Bundle's entries; references by number
    are added to `met`.
    """
    marked: list[str] = []
    waiting: list[Any] = []
    for name, whole in resource.items():
        waiting.append(whole)
        is_marked = False
        for node in waiting:  # which grows on the way
            kind = type(node)
            if kind is str:
                if not node.isascii() and (node[0] == USUAL or NULL in node):
                    is_marked = True
            elif kind is dict:
                text = node.get("reference")
                if type(text) is str:
                    node["reference"] = _final(node, text, places, owner, met)
                waiting += node.values()
            elif kind is list:
                waiting += node
        waiting.clear()
        if is_marked:
            marked.append(name)
    return frozenset(marked)


def _final(
    node: Resource, text: str, places: Mapping[str, str], owner: str, met: list[ByNumber]
) -> str:
    """What the reference `text` in `node` means outside of the Bundle."""
    found = places.get(text)
    if found is not None:
        return found
    named = resolve_conditional(text, owner) if "?" in text else None
    if named is None:
        return text
    met.append(ByNumber(node, *named))
    return named[0]

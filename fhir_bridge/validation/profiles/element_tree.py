"""The elements of a StructureDefinition as a tree of nodes and slices.

https://hl7.org/fhir/R4/elementdefinition.html#id (``Observation.component:systolic.code``)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fhir_bridge.fhir import Resource
from fhir_bridge.snapshots import with_steps

__all__ = ["ElementNode", "element_tree"]

_PROFILE_ELEMENT = "http://hl7.org/fhir/StructureDefinition/elementdefinition-profile-element"


@dataclass(slots=True)
class ElementNode:
    """One element of a profile: what it states, its children by name, its slices by name."""

    name: str
    slice_name: str = ""
    element: Mapping[str, Any] = field(default_factory=dict)
    children: dict[str, ElementNode] = field(default_factory=dict)
    slices: dict[str, ElementNode] = field(default_factory=dict)

    def type_codes(self) -> list[str]:
        """The types that the element states, empty when it states none."""
        return [str(kind.get("code", "")) for kind in self.element.get("type", ())]

    def profile_urls(self) -> list[str]:
        """The profiles that its types state.

        One that means an element of a profile (extension ``elementdefinition-profile-element``)
        ends in ``#`` and the id of that element.
        """
        urls = []
        for kind in self.element.get("type", ()):
            companions = kind.get("_profile", ())
            for index, url in enumerate(kind.get("profile", ())):
                companion = companions[index] if index < len(companions) else None
                urls.append(url + _element_of(companion or {}))
        return urls

    def at(self, identifier: str) -> ElementNode | None:
        """The node below this root with the element id `identifier` (``Composition.section:lab``)."""
        node: ElementNode | None = self
        for step in identifier.split(".")[1:]:
            name, _, slice_name = step.partition(":")
            node = node.children.get(name) if node else None
            if node and slice_name:
                node = node.slices.get(slice_name)
        return node


def _element_of(companion: Mapping[str, Any]) -> str:
    for extension in companion.get("extension", ()):
        if extension.get("url") == _PROFILE_ELEMENT:
            return f"#{extension.get('valueString')}"
    return ""


def element_tree(structure_definition: Resource) -> ElementNode:
    """The tree of the snapshot, or of the differential where there is no snapshot."""
    part = structure_definition.get("snapshot") or structure_definition.get("differential") or {}
    root = ElementNode(str(structure_definition.get("type", "")))
    for element, steps in with_steps(part.get("element", ())):
        node = root
        for name, slice_name in steps[1:]:
            node = node.children.setdefault(name, ElementNode(name))
            if slice_name:
                node = node.slices.setdefault(slice_name, ElementNode(name, slice_name))
        node.element = element
    return root

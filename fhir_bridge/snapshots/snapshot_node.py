"""The elements of a snapshot or a differential as a tree.

https://hl7.org/fhir/R4/elementdefinition.html#id

A node holds one element, its children by name and its slices by slice name; each slice has
children of its own.  Id and path are told by the place in the tree.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fhir_bridge.snapshots.element_steps import with_steps

__all__ = ["SnapshotNode", "elements_of", "fold_single_forms", "node_of"]


@dataclass(slots=True)
class SnapshotNode:
    """One element with what is inside it; `index` is where a differential states it (-1: nowhere)."""

    name: str
    element: dict[str, Any] = field(default_factory=dict)
    children: dict[str, SnapshotNode] = field(default_factory=dict)
    slices: dict[str, SnapshotNode] = field(default_factory=dict)
    index: int = -1

    def copy(self) -> SnapshotNode:
        """The same tree in new nodes, stated nowhere; values in elements are shared, never changed."""
        return SnapshotNode(
            self.name,
            dict(self.element),
            {name: child.copy() for name, child in self.children.items()},
            {name: part.copy() for name, part in self.slices.items()},
        )

    def at(self, path: str) -> SnapshotNode | None:
        """The unsliced node below this root at `path` (``Observation.component.code``)."""
        node: SnapshotNode | None = self
        for name in path.split(".")[1:]:
            node = node.children.get(name) if node else None
        return node

    @property
    def type_codes(self) -> list[str]:
        """The types of the element by name."""
        return [str(kind.get("code", "")) for kind in self.element.get("type", ())]


def node_of(elements: Iterable[Mapping[str, Any]], root_name: str) -> SnapshotNode:
    """The tree of a list of elements."""
    root = SnapshotNode(root_name)
    for index, (element, steps) in enumerate(with_steps(list(elements))):
        node = root
        for name, slice_name in steps[1:]:
            node = node.children.setdefault(name, SnapshotNode(name))
            if slice_name:
                node = node.slices.setdefault(slice_name, SnapshotNode(name))
        node.element, node.index = dict(element), index
    return root


def fold_single_forms(node: SnapshotNode) -> None:
    """A choice of one type may stand as its only slice; node and slice are then the same."""
    for child in node.children.values():
        for part in child.slices.values():
            fold_single_forms(part)
        fold_single_forms(child)
        if child.name.endswith("[x]") and not child.element and len(child.slices) == 1:
            (part,) = child.slices.values()
            child.element, child.children, child.slices = part.element, part.children, {}


def elements_of(root: SnapshotNode) -> list[dict[str, Any]]:
    """The elements in the order of a snapshot: each before its children, these before its slices."""
    found: list[dict[str, Any]] = []

    def enter(node: SnapshotNode, path: str, identifier: str) -> None:
        named = node.element.get("sliceName")
        if named and not identifier.endswith(f":{named}"):
            identifier = f"{identifier}:{named}"
        facts = {key: value for key, value in node.element.items() if key not in ("id", "path")}
        found.append({"id": identifier, "path": path, **facts})
        for child in node.children.values():
            enter(child, f"{path}.{child.name}", f"{identifier}.{child.name}")
        for name, part in node.slices.items():
            enter(part, path, f"{identifier}:{name}")

    enter(root, root.name, root.name)
    return found

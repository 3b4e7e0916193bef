"""Choice elements: short names, slices by type, and what they narrow.

https://hl7.org/fhir/R4/profiling.html#slicing, https://hl7.org/fhir/R4/elementdefinition.html#quickref

``Observation.valueQuantity`` in a differential means the slice ``valueQuantity`` of
``Observation.value[x]``.  A slice that is required leaves no other type; when every type that
is left has its slice, the slicing is closed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fhir_bridge.snapshots.overlay import refuse
from fhir_bridge.snapshots.snapshot_node import SnapshotNode

__all__ = ["choice_of", "form_name", "settle_choice", "slice_type"]

BY_TYPE = {"discriminator": [{"type": "type", "path": "$this"}], "ordered": False}


def choice_of(parent: SnapshotNode, name: str) -> SnapshotNode | None:
    """The choice element among the children of `parent` that the short name `name` is a form of."""
    for child in parent.children.values():
        prefix = child.name.removesuffix("[x]")
        is_choice = prefix != child.name and name.startswith(prefix)
        if is_choice and any(form_name(prefix, code) == name for code in child.type_codes):
            return child
    return None


def form_name(name: str, code: str) -> str:
    """``value[x]`` of type ``Quantity`` is ``valueQuantity``."""
    return f"{name.removesuffix('[x]')}{code[:1].upper()}{code[1:]}"


def slice_type(
    node: SnapshotNode, slice_name: str, stated: Mapping[str, Any], place: str
) -> list[dict[str, Any]]:
    """The one type of a slice by type, which its name tells.  Raises BridgeError FB-3033."""
    kinds: list[dict[str, Any]] = [
        kind
        for kind in node.element.get("type", ())
        if form_name(node.name, str(kind.get("code"))) == slice_name
    ]
    if not kinds:
        raise refuse(place, f"the slice {slice_name} is named like no type that is left")
    return list(stated["type"]) if "type" in stated else kinds


def settle_choice(node: SnapshotNode, place: str, *, narrows: bool) -> None:
    """Types, number and rules of a sliced choice, from its slices; `narrows`: they leave no others."""
    required = [name for name, part in node.slices.items() if int(part.element.get("min", 0))]
    left = required or (list(node.slices) if narrows else [])
    if left:
        node.element["type"] = [
            kind for name in left for kind in node.slices[name].element.get("type", ())
        ]
    if required:
        node.element["min"] = max(int(node.element.get("min", 0)), 1)
        others = [name for name in node.slices if name not in required]
        if len(required) > 1 or any(_is_allowed(node.slices[name]) for name in others):
            raise refuse(place, "a slice by type is required, and another type has a slice")
    order = node.type_codes
    names = {form_name(node.name, code): position for position, code in enumerate(order)}
    node.slices = dict(sorted(node.slices.items(), key=lambda one: names.get(one[0], len(order))))
    slicing = {**BY_TYPE, "rules": "open", **node.element.get("slicing", {})}
    if names.keys() <= node.slices.keys():
        slicing["rules"] = "closed"
    node.element["slicing"] = slicing


def _is_allowed(part: SnapshotNode) -> bool:
    return part.element.get("max") != "0"

"""Instance selectors: ``Coding { system: 's', code: gender }`` makes a new structure.

http://hl7.org/fhirpath/#instance-selector.  Names are checked when the expression is
compiled; what repeats becomes a list, a choice element takes its key from its value's type.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import TypeDefinition
from fhir_bridge.fhirpath.evaluation import one
from fhir_bridge.fhirpath.language.suggestion import did_you_mean
from fhir_bridge.fhirpath_values import PRIMITIVES, Model, Node, fail, fhir_name, plain_of

__all__ = ["builder"]

Items = list[Any]
_OF_PRIMITIVES = frozenset({"id", "extension", "value"})


def builder(type_name: str, names: Sequence[str], model: Model) -> Callable[[list[Items]], Node]:
    """What makes a `type_name` of one collection for each of `names`; FB-2004 for a wrong name."""
    local = type_name.removeprefix("FHIR.")
    unknown = model.definitions is not None and not model.has_type(type_name)
    if unknown or type_name.startswith("System."):
        raise BridgeError(
            "FB-2004",
            name=type_name,
            reason=f"there is no such type to make{did_you_mean(type_name, model.type_names)}",
        )
    if local in PRIMITIVES:
        for name in names:
            if name not in _OF_PRIMITIVES:
                raise _no_element(name, local, _OF_PRIMITIVES)
        return lambda parts: _primitive(local, dict(zip(names, parts, strict=True)))
    shape = model.definitions.types[local] if model.definitions is not None else None
    if shape is not None:
        for name in names:
            if name not in shape.elements and name not in shape.choices:
                raise _no_element(name, local, [*shape.elements, *shape.choices])
    start = {"resourceType": local} if shape is not None and shape.kind == "resource" else {}

    def build(parts: list[Items]) -> Node:
        made: dict[str, Any] = dict(start)
        for name, items in zip(names, parts, strict=True):
            if items:
                _place(made, name, items, shape)
        return Node(made, local)

    return build


def _no_element(name: str, type_name: str, known: Iterable[str]) -> BridgeError:
    near = did_you_mean(name, known)
    return BridgeError("FB-2004", name=name, reason=f"it is no element of {type_name}{near}")


def _primitive(type_name: str, parts: dict[str, Items]) -> Node:
    value = plain_of(one(parts.get("value", []), f"the value of {type_name}"))
    if isinstance(value, dict):
        raise fail(f"a {type_name} takes a single value")
    beside: dict[str, Any] = {}
    if parts.get("id"):
        beside["id"] = plain_of(one(parts["id"], "id"))
    if parts.get("extension"):
        beside["extension"] = [plain_of(item) for item in parts["extension"]]
    return Node(value, type_name, beside or (None if value is not None else {}))


def _place(made: dict[str, Any], name: str, items: Items, shape: TypeDefinition | None) -> None:
    """Enter the items under the key that the element has in JSON."""
    key = name
    if shape is not None and name in shape.choices:
        kind = fhir_name(items[0])
        key = f"{name}{kind[:1].upper()}{kind[1:]}"
        if key not in shape.choices[name]:
            raise fail(f"{shape.name}.{name} takes no {kind or 'value of this type'}")
    repeats = len(items) > 1 if shape is None else shape.elements[key].is_list
    if len(items) > 1 and not repeats:
        raise fail(f"{name} takes one item, not {len(items)}")
    values = [plain_of(item) for item in items]
    siblings = [item.sibling if type(item) is Node else None for item in items]
    if any(value is not None for value in values):
        made[key] = values if repeats else values[0]
    if any(siblings):
        made[f"_{key}"] = siblings if repeats else siblings[0]

"""A resource taken apart into what is stated one by one, and put together again.

A slot is named by the element (``birthDate``, ``deceased[x]``), by the part of an element
(``period/start``; ``effective[x]/end`` of what is a time or a period), or by the kind of an item in a list (``telecom{phone|home}``).  Its value
is an object with the JSON properties of the element: ``{"birthDate": "1980", "_birthDate":
…}``; for items of a list the items of that kind, in order.
https://hl7.org/fhir/R4/json.html
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from fhir_bridge.fhir import ElementDefinition, Resource, TypeDefinition, definitions

from .rules import Path, UpdateRules

__all__ = ["Slots", "resource_of", "slots_of"]

Slots = dict[str, Any]
"""Values by slot, in the order of the resource."""

_FRAME = frozenset({"resourceType", "id"})
_CHOICE = "[x]"
_OPEN = "open"
_OF_STORE = frozenset({"versionId", "lastUpdated"})


def slots_of(resource: Resource, rules: UpdateRules) -> Slots:
    """What `resource` states; its type, id, version and time are no statements."""
    slots: Slots = {}
    kind = str(resource["resourceType"])
    _take(resource, definitions().types[kind], kind, "", rules, slots)
    return slots


def resource_of(kind: str, id_: str, slots: Mapping[str, Any]) -> Resource:
    """The resource that states `slots`, its elements in the order of the definition."""
    resource: Resource = {}
    for slot, value in slots.items():
        place, brace, _ = slot.partition("{")
        *parents, _name = place.split("/")
        node = resource
        for parent in parents:
            node = node.setdefault(parent, {})
        if brace:
            name = _name
            node.setdefault(name, []).extend(value)
        else:
            node.update(value)
    for key in [key for key in resource if key.endswith(_CHOICE)]:
        resource |= _joined(key.removesuffix(_CHOICE), resource.pop(key))
    ordered = _ordered(resource, definitions().types[kind])
    return {"resourceType": kind, "id": id_} | ordered


class _Place(NamedTuple):
    """What becomes of one JSON property: `whole` is its slot where it is stated as a whole.

    The slots of its items begin with `name`, where `paths` tell them apart; those of its parts
    too, where `inner` is its type.
    """

    name: str
    whole: str
    paths: tuple[Path, ...] = ()
    inner: TypeDefinition | None = None
    is_span: bool = False


def _take(  # noqa: PLR0917 - what a walk needs
    node: Resource, shape: TypeDefinition, kind: str, prefix: str, rules: UpdateRules, slots: Slots
) -> None:
    places = _places(rules, kind, prefix)
    for key, value in node.items():
        place = places.get(key)
        if place is None:
            place = _place_of(key, shape, kind, prefix, rules)
            if place is None:
                continue
            places[key] = place
        if place.paths and isinstance(value, list):
            for item in value:
                slot = f"{place.name}{{{_identity(item, place.paths)}}}"
                slots.setdefault(slot, []).append(item)
        elif place.inner is not None and type(value) is dict:
            _take(value, place.inner, kind, f"{place.name}/", rules, slots)
        elif place.is_span:
            _take_span(place.name, key, value, slots)
        else:
            slots.setdefault(place.whole, {})[key] = value


@lru_cache(maxsize=1024)
def _places(rules: UpdateRules, kind: str, prefix: str) -> dict[str, _Place]:  # noqa: ARG001 - what the places depend on
    """The places of the properties that were met, by key; filled by `_take`."""
    return {}


def _place_of(
    key: str, shape: TypeDefinition, kind: str, prefix: str, rules: UpdateRules
) -> _Place | None:
    """The place of a property; None for what is no statement."""
    name = key.removeprefix("_")
    element = shape.elements.get(name)
    if element is None or (not prefix and key in _FRAME) or name in _OF_STORE:
        return None
    label = f"{element.choice}[x]" if element.choice else name
    slot = f"{prefix}{label}"
    whole = slot if prefix else rules.group(kind, label)
    if element.is_list:
        paths = () if key[0] == "_" else rules.paths(element.path, element.type)
        return _Place(slot, whole, paths)
    if not element.choice and _is_parted(element, rules):
        return _Place(slot, whole, inner=definitions().types[element.type])
    is_span = bool(element.choice) and not prefix and f"{kind}.{element.choice}" in rules.spans
    return _Place(slot, whole, is_span=is_span)


def _take_span(label: str, key: str, value: Any, slots: Slots) -> None:
    """A time is the start of a period; one without an end says that it is open."""
    start: dict[str, Any] = {}
    if key.endswith("DateTime"):
        start["_start" if key[0] == "_" else "start"] = value
    else:
        end = {name: part for name, part in value.items() if name.removeprefix("_") == "end"}
        start = {name: part for name, part in value.items() if name not in end}
        if end:
            slots[f"{label}/end"] = end
        else:
            start[_OPEN] = True
    if start:
        slots.setdefault(f"{label}/start", {}).update(start)


def _joined(name: str, span: dict[str, Any]) -> Resource:
    """The JSON properties of a choice of a time and a period."""
    is_period = bool(span.pop(_OPEN, False)) or not span.keys() <= {"start", "_start"}
    if is_period:
        return {f"{name}Period": span}
    return {key.replace("start", f"{name}DateTime"): value for key, value in span.items()}


def _is_parted(element: ElementDefinition, rules: UpdateRules) -> bool:
    if element.type in rules.parts or element.type == "Meta":
        return True
    shape = definitions().types.get(element.type)
    return shape is not None and shape.kind == "backbone"


def _identity(item: Any, paths: tuple[Path, ...]) -> str:
    """What tells an item apart: the values at `paths`, joined."""
    return "|".join(_at(item, path) for path in paths)


def _at(node: Any, path: Path) -> str:
    for number, name in enumerate(path):
        if isinstance(node, list):  # the first that says it: others are finer or translations
            return next(filter(None, (_at(item, path[number:]) for item in node)), "")
        if not isinstance(node, dict):
            return ""
        if name == "type" and "reference" in node and "type" not in node:
            return str(node["reference"]).partition("/")[0]  # what a reference leads to
        node = node.get(name)
    if isinstance(node, list):
        return ",".join(str(item) for item in node)
    return "" if node is None or isinstance(node, dict) else str(node)


def _ordered(node: Resource, shape: TypeDefinition) -> Resource:
    order = _order(shape.name)
    last = len(order)
    ordered = dict(
        sorted(node.items(), key=lambda pair: order.get(pair[0].removeprefix("_"), last))
    )
    for key, value in ordered.items():
        element = shape.elements.get(key)
        if type(value) is dict and element is not None and not element.is_list:
            inner = definitions().types.get(element.type)
            if inner is not None and inner.kind != "primitive":
                ordered[key] = _ordered(value, inner)
    return ordered


@lru_cache(maxsize=1024)
def _order(type_name: str) -> dict[str, int]:
    return {key: place for place, key in enumerate(definitions().types[type_name].elements)}

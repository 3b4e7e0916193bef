"""The children of source items: plain FHIR JSON, or any node with ``get(name)``.

In FHIR JSON a choice element is found under its typed key and a primitive's companion
(``_birthDate``) under the underscored one (https://hl7.org/fhir/R4/json.html#primitive).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fhir_bridge.shapes import ElementShape, Shape, Shapes
from fhir_bridge.transform.runtime.source import Item, carried

__all__ = ["Fetch", "fetcher"]

Fetch = Callable[[Item], list[Item]]


def fetcher(name: str, shapes: Shapes) -> Fetch:
    """A function that lists the children `name` of an item; look-ups are kept by shape."""
    plans: dict[Shape, list[tuple[str, Shape | None, bool]] | None] = {}
    companion_key = f"_{name}"
    may_stand_in = name in ("value", "item")

    def fetch(item: Item) -> list[Item]:
        value = item.value
        if type(value) is dict:
            shape = item.shape
            if shape is not None and not shape.is_open:
                try:
                    plan = plans[shape]
                except KeyError:
                    plan = plans[shape] = _plan(shape, name, shapes)
                if plan is not None:
                    return _planned(item, value, plan, shapes, name)
            found = value.get(name)
            if found is None and companion_key not in value:
                return _guessed(item, value, name, shapes)
            return _items(item, found, value.get(companion_key), None, name, shapes)
        try:
            get = value.get
        except AttributeError:
            return _of_scalar(item, name, shapes, fetch)
        found = get(name)
        shape = item.shape
        if shape is not None and shape.elements:
            return _of_node(item, found, name, shapes)
        if found is None:
            return _alternative(item, name, shapes) if may_stand_in else []
        kind = type(found)
        if kind is str:
            return [Item(found, None, None, item, name)]
        if kind is list or kind is dict:
            return _items(item, found, None, None, name, shapes)
        own = getattr(found, "type_name", None)  # the common case: no type is known
        return [Item(found, shapes.resolve(str(own)) if own else None, None, item, name)]

    return fetch


def _of_node(item: Item, found: Any, name: str, shapes: Shapes) -> list[Item]:
    """What a node gave, or what stands in for the child it does not have."""
    if found is None:
        return _alternative(item, name, shapes)
    return _items(item, found, None, _child_shape(item.shape, name, shapes), name, shapes)


def _of_scalar(item: Item, name: str, shapes: Shapes, fetch: Fetch) -> list[Item]:
    """A scalar is its own ``value``; its id and extensions are those of its companion."""
    if name == "value" and item.value is not None:
        return [item]
    if item.companion is not None and name in ("id", "extension"):
        return fetch(Item(item.companion, shapes.find("Element"), None, item))
    return []


def _plan(shape: Shape, name: str, shapes: Shapes) -> list[tuple[str, Shape | None, bool]] | None:
    element = shape.elements.get(name.removesuffix("[x]"))
    if element is None:
        return None
    return [
        (key, shapes.find(type_name), _is_scalar(shapes.find(type_name)))
        for type_name, key in element.keys.items()
    ]


def _is_scalar(shape: Shape | None) -> bool:
    return shape is not None and shape.is_primitive


def _planned(
    item: Item,
    value: dict[str, Any],
    plan: list[tuple[str, Shape | None, bool]],
    shapes: Shapes,
    name: str,
) -> list[Item]:
    for key, shape, is_scalar in plan:
        found = value.get(key)
        if is_scalar:
            companion = value.get(f"_{key}")
            if found is None and companion is None:
                continue
            if type(found) is not list and (companion is None or type(companion) is dict):
                return [Item(found, shape, companion, item, key)]
            return _items(item, found, companion, shape, key, shapes)
        if found is not None:
            return _items(item, found, None, shape, key, shapes)
    if len(plan) > 1 and name in value:
        return _items(item, value[name], None, None, name, shapes)
    return []


def _items(  # noqa: PLR0917 - called for every element that is read
    parent: Item, found: Any, companion: Any, shape: Shape | None, name: str, shapes: Shapes
) -> list[Item]:
    if companion is not None and type(companion) is not dict:
        companion = _objects(companion) if found is None or type(found) is list else None
    if type(found) is not list and type(companion) is not list:
        return [Item(found, _actual(found, shape, shapes), companion, parent, name)]
    values = found if type(found) is list else []
    companions = companion if type(companion) is list else []
    count = max(len(values), len(companions))
    return [
        Item(
            value := values[index] if index < len(values) else None,
            _actual(value, shape, shapes),
            companions[index] if index < len(companions) else None,
            parent,
            name,
            index,
        )
        for index in range(count)
    ]


def _objects(companion: Any) -> list[Any] | None:
    """What stands beside the items of a list; anything but objects is nothing."""
    if type(companion) is not list:
        return None
    return [one if type(one) is dict else None for one in companion]


def _actual(value: Any, shape: Shape | None, shapes: Shapes) -> Shape | None:
    """The shape a value really has: what it says itself, else what was declared."""
    if type(value) is dict:
        own = value.get("resourceType")
        if type(own) is str and (shape is None or shape.is_resource or shape.is_abstract):
            return shapes.find(own) or shape
        if shape is not None and (shape.kind == "logical" or shape.is_abstract):
            own = value.get("xsi:type")
            if type(own) is str:
                return shapes.resolve(own)
        return None if shape is not None and shape.is_primitive else shape
    own = getattr(value, "type_name", None)
    if own:
        return shapes.resolve(str(own))
    if shape is not None and not shape.is_primitive and not hasattr(value, "get"):
        return None  # declared by another release as a tree, sent as a scalar
    return shape


def _child_shape(shape: Shape | None, name: str, shapes: Shapes) -> Shape | None:
    element = shape.elements.get(name) if shape is not None else None
    return shapes.find(element.type) if element is not None and not element.is_choice else None


def _alternative(item: Item, name: str, shapes: Shapes) -> list[Item]:
    """A node without the child: its own text as ``value``, or a choice group of the model."""
    if name == "value" and isinstance(item.value, str):
        return [Item(carried(item.value), None, None, item.parent, item.name, item.index)]
    element = _element(item.shape, name)
    if (element is not None and element.is_choice_group) or (item.shape is None and name == "item"):
        return [Item(item.value, shapes.find(element.type) if element else None, None, item.parent)]
    return []


def _element(shape: Shape | None, name: str) -> ElementShape | None:
    return shape.elements.get(name) if shape is not None else None


def _guessed(item: Item, value: dict[str, Any], name: str, shapes: Shapes) -> list[Item]:
    """A choice element of a type whose definition is not at hand: ``value`` + a type name."""
    length = len(name)
    for key, found in value.items():
        if len(key) > length and key.startswith(name):
            suffix = key[length:]
            if suffix[0].isupper():
                shape = shapes.find(suffix) or shapes.find(suffix[0].lower() + suffix[1:])
                if shape is not None:
                    return _items(item, found, value.get(f"_{key}"), shape, key, shapes)
    return []

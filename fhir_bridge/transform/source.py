"""Source trees: one item of input, its type, and where it stands in the sender's terms.

A node is anything with ``get(name)`` and ``keys()``; plain FHIR JSON is the normal case,
where a choice element is found under its typed key and a primitive's companion
(``_birthDate``) under the underscored one (https://hl7.org/fhir/R4/json.html#primitive).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fhir_bridge.transform.shapes import ElementShape, Shape, Shapes

__all__ = ["Item", "fetcher", "scalar", "text_of"]


class Item:
    """A value of the source with its shape, and the way back to the root."""

    __slots__ = ("companion", "index", "name", "parent", "shape", "value")

    def __init__(  # noqa: PLR0917 - made for every value that is read
        self,
        value: Any,
        shape: Shape | None = None,
        companion: Any = None,
        parent: Item | None = None,
        name: str = "",
        index: int = -1,
    ) -> None:
        self.value = value
        self.shape = shape
        self.companion = companion
        self.parent = parent
        self.name = name
        self.index = index

    @property
    def where(self) -> str:
        """The position in the sender's terms (``PID-3[2]``), or the path in the resource."""
        own = getattr(self.value, "where", None)
        if isinstance(own, str) and own:
            return own
        if self.parent is None:
            return self.name
        index = f"[{self.index}]" if self.index >= 0 else ""
        above = self.parent.where
        return f"{above}.{self.name}{index}" if above else f"{self.name}{index}"

    @property
    def type_name(self) -> str:
        """The name groups are chosen by; empty when the type is not known."""
        return self.shape.name if self.shape else ""


def scalar(value: Any) -> Any:
    """The plain scalar of a source value (a v2 value is its text), None for a tree."""
    if isinstance(value, str):
        return value if type(value) is str else str.__str__(value)
    if value is None or isinstance(value, dict):
        return None
    return value if not hasattr(value, "get") else text_of(value)


def text_of(value: Any) -> str | None:
    """The text of a node that is not a str itself: what XML keeps under ``xmlText``."""
    found = value.get("xmlText")
    if isinstance(found, list):
        return "".join(str(part) for part in found)
    return None if found is None else str(found)


def fetcher(  # noqa: C901 - one function for every element that is read
    name: str, shapes: Shapes
) -> Callable[[Item], list[Item]]:
    """A function that lists the children `name` of an item; look-ups are kept by shape."""
    plans: dict[Shape, list[tuple[str, Shape | None, bool]] | None] = {}
    companion_key = f"_{name}"
    may_stand_in = name in ("value", "item")

    def fetch(item: Item) -> list[Item]:  # noqa: C901 - as above
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
        get = getattr(value, "get", None)
        if get is not None:
            found = get(name)
            if item.shape is None and not may_stand_in:  # the common case: no type is known
                if found is None:
                    return []
                kind = type(found)
                if kind is not list and kind is not dict:
                    own = getattr(found, "type_name", None)
                    shape = shapes.named(str(own)) if own else None
                    return [Item(found, shape, None, item, name)]
            if found is None:
                return _alternative(item, name, shapes)
            shape = _child_shape(item.shape, name, shapes)
            return _items(item, found, None, shape, name, shapes)
        if name == "value" and value is not None:
            return [item]
        if item.companion is not None and name in ("id", "extension"):
            child = Item(item.companion, shapes.find("Element"), None, item)
            return fetch(child)
        return []

    return fetch


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
                return shapes.named(own)
        return None if shape is not None and shape.is_primitive else shape
    own = getattr(value, "type_name", None)
    if own:
        return shapes.named(str(own))
    if shape is not None and not shape.is_primitive and not hasattr(value, "get"):
        return None  # declared by another release as a tree, sent as a scalar
    return shape


def _child_shape(shape: Shape | None, name: str, shapes: Shapes) -> Shape | None:
    element = shape.elements.get(name) if shape is not None else None
    return shapes.find(element.type) if element is not None and not element.is_choice else None


def _alternative(item: Item, name: str, shapes: Shapes) -> list[Item]:
    """A node without the child: its own text as ``value``, or a choice group of the model."""
    if name == "value" and isinstance(item.value, str):
        return [Item(str.__str__(item.value), None, None, item.parent, item.name, item.index)]
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

"""Target trees: where values are put, by what the definition says of each element.

Rules write in the order of the map; `normalise` orders and prunes at the end.

A complex target is the JSON object itself; a primitive target is a place in its object
(key, and index in a list), because a rule may first name an element and later give it a
value, an id or extensions (https://hl7.org/fhir/R4/json.html#primitive).
"""

from __future__ import annotations

from typing import Any

from fhir_bridge.shapes import Shape, Shapes, plain_type_name
from fhir_bridge.transform.runtime.coerce import MISFIT, coercion_to, type_of_scalar
from fhir_bridge.transform.runtime.source import Item, scalar

__all__ = ["Place", "Target", "TargetPlan", "plan_for"]


class Target:
    """A target variable: `node` for a complex value, `holder[key][index]` for a scalar."""

    __slots__ = ("holder", "index", "key", "node", "parent", "shape")

    def __init__(  # noqa: PLR0917 - made for every value that is written
        self,
        shape: Shape,
        node: dict[str, Any] | None,
        parent: Target | None = None,
        key: str = "",
        index: int = -1,
        holder: dict[str, Any] | None = None,
    ) -> None:
        self.shape = shape
        self.node = node
        self.parent = parent
        self.key = key
        self.index = index
        self.holder = holder

    @property
    def value(self) -> Any:
        """The JSON value that stands there now."""
        if self.node is not None or self.holder is None:
            return self.node
        found = self.holder.get(self.key)
        return found[self.index] if self.index >= 0 and found is not None else found

    @property
    def holder_entry(self) -> dict[str, Any] | None:
        """The Bundle entry that a resource stands in, if it does."""
        parent = self.parent
        return parent.node if parent is not None and self.key == "resource" else None

    @property
    def path(self) -> str:
        """The path in the target, ``Bundle.entry[0].resource``."""
        if self.parent is None:
            return self.shape.name
        index = f"[{self.index}]" if self.index >= 0 else ""
        return f"{self.parent.path}.{self.key}{index}"

    def set_scalar(self, value: Any) -> None:
        """Give a primitive its value."""
        if self.holder is None:
            return
        if self.index >= 0:
            self.holder[self.key][self.index] = value
        else:
            self.holder[self.key] = value

    def companion(self) -> dict[str, Any]:
        """The object for the id and extensions of a primitive, made when needed."""
        if self.holder is None:
            return {}
        key = f"_{self.key}"
        if self.index < 0:
            made: dict[str, Any] = self.holder.setdefault(key, {})
            return made
        beside = self.holder.setdefault(key, [])
        beside.extend([None] * (self.index + 1 - len(beside)))
        if beside[self.index] is None:
            beside[self.index] = {}
        found: dict[str, Any] = beside[self.index]
        return found


class Place:
    """One way to fill an element: its JSON key, type and coercion."""

    __slots__ = ("coerce", "is_list", "key", "says_type", "shape")

    def __init__(self, key: str, shape: Shape, *, is_list: bool, says_type: bool = False) -> None:
        self.key = key
        self.shape = shape
        self.is_list = is_list
        self.says_type = says_type
        self.coerce = coercion_to(shape.name)


class TargetPlan:
    """How one element of one shape is filled: a place for each type it may have."""

    __slots__ = ("by_type", "element", "is_choice", "is_list", "keys", "only", "shapes")

    def __init__(self, element: str, places: dict[str, Place], shapes: Shapes, *, is_choice: bool):
        self.element = element
        self.by_type = places
        self.is_choice = is_choice
        self.only = None if is_choice else next(iter(places.values()))
        self.is_list = next(iter(places.values())).is_list
        self.keys = tuple(place.key for place in places.values())
        self.shapes = shapes

    def place_for_type(self, type_name: str) -> Place | None:
        """The place for a value of the type, or of the nearest ancestor that has one."""
        only = self.only
        if only is not None:
            return only
        name = type_name
        while name:
            found = self.by_type.get(name)
            if found is not None:
                return found
            shape = self.shapes.find(name)
            name = shape.parent if shape is not None else ""
        return None

    def place_for_scalar(self, value: Any) -> Place | None:
        """The place for a bare scalar, by its look."""
        if self.only is not None:
            return self.only
        for name in type_of_scalar(value):
            found = self.by_type.get(name)
            if found is not None:
                return found
        for place in self.by_type.values():
            if place.shape.is_primitive and place.coerce(value) is not MISFIT:
                return place
        return None

    def place_for(self, item: Item) -> Place | None:
        """The place for a source item: by its type where one is known."""
        if self.only is not None:
            return self.only
        shape = item.shape
        if shape is not None:
            found = self.place_for_type(shape.name)
            if found is not None:
                return found
        if type(item.value) is dict:
            return self.place_for_object(item.value)
        value = scalar(item.value)
        return self.place_for_scalar(value) if value is not None else None

    def place_for_object(self, value: dict[str, Any]) -> Place | None:
        """The place for an object of unknown type: the smallest type that has its elements."""
        keys = value.keys()
        fitting = [
            place
            for place in self.by_type.values()
            if not place.shape.is_primitive and keys <= place.shape.order.keys()
        ]
        return min(fitting, key=lambda place: len(place.shape.order), default=None)


def plan_for(shape: Shape, element: str, shapes: Shapes) -> TargetPlan | None:
    """The plan of an element, or None when the type has no such element."""
    known = shape.elements.get(element.removesuffix("[x]"))
    if known is None:
        return None
    places = {
        _key(type_name): Place(
            key, shapes.resolve(type_name), is_list=known.is_list, says_type=known.says_type
        )
        for type_name, key in known.keys.items()
    }
    return TargetPlan(element, places, shapes, is_choice=known.is_choice)


def _key(type_name: str) -> str:
    """A type as the key of a place: nested types keep their URL, others go by name."""
    is_named = "/" in type_name and "#" not in type_name
    return plain_type_name(type_name) if is_named else type_name

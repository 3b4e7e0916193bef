"""The identity of a type: what a map from another release does not name itself.

https://hl7.org/fhir/R5/mapping-language.html#groups says nothing of a call of a group that
no map has; named by a FHIR type it stands here for "the same content in this release".

Promises: only elements that the target's type has are written, each as the definitions say
(list or single, scalar or structure); a value whose type has a ``<<types>>`` group in
reach is made by that group; what the target already has is left as it is, and extensions
of the source stand beside those that rules wrote.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fhir_bridge.shapes import ElementShape, Shape
from fhir_bridge.transform.compile.unit import CompilationUnit, CompiledGroup
from fhir_bridge.transform.runtime.run import RuleLocation, Run
from fhir_bridge.transform.runtime.source import Item
from fhir_bridge.transform.runtime.target import Target
from fhir_bridge.transform.runtime.write import Writer, copied, reference_text

__all__ = ["Identity", "inherited_keys"]

_EXTENSIONS = frozenset({"extension", "modifierExtension"})

RunGroup = Callable[[Run, CompiledGroup, list[Any], RuleLocation], None]


_STRUCTURES = (dict, list, type(None))


@dataclass(frozen=True, slots=True)
class _Place:
    """What a JSON key of a type holds, and the keys that stand for the same element."""

    shape: Shape
    is_list: bool
    is_primitive: bool
    others: tuple[str, ...]


class Identity:
    """Copies what a source item has and its target has not.

    `base` is the type that was named.  An abstract resource type stands for the resource's
    own type, whose group is then taken; `keys` limits the elements to those of a base type.
    """

    def __init__(
        self,
        base: Shape,
        unit: CompilationUnit,
        location: RuleLocation,
        run_group: RunGroup,
        keys: frozenset[str] | None = None,
    ) -> None:
        self._unit = unit
        self._location = location
        self._run_group = run_group
        self._keys = keys
        self._writer = Writer("value", unit.shapes, location)
        self._is_any_resource = base.is_abstract and base.is_resource and keys is None

    def copy_over(self, run: Run, item: Item, target: Target) -> None:
        """Fill the target from the item."""
        if target.node is None:
            if self._keys is None:
                self._writer.put(run, target, item, item)
            if item.companion:
                run.copies(item.companion)
                target.companion().update(copied(item.companion))
            return
        if type(item.value) is not dict:
            return
        run.copies(item.value)
        if self._is_any_resource:
            self._convert(run, item, target)
        else:
            self._fill(run, item, target, self._keys)
        if run.lineage is not None:
            run.wrote(target, "", -1, item, self._location)

    def _convert(self, run: Run, item: Item, target: Target) -> None:
        """By the group for the two types where a map in reach has one."""
        own = item.value.get("resourceType")
        named = own if type(own) is str and own else item.type_name
        group = self._unit.group_for_types(named, target.shape.name) if named else None
        if group is None:
            self._fill(run, item, target)
        else:
            self._run_group(run, group, [item, target], self._location)

    def _fill(
        self, run: Run, item: Item, target: Target, keys: frozenset[str] | None = None
    ) -> None:
        node = target.node
        if node is None:
            return
        shape = target.shape
        places = self._places(shape)
        for key, value in item.value.items():
            if key == "resourceType" or (keys and key not in keys):
                continue
            if key in node:
                if key in _EXTENSIONS and type(value) is list and type(node[key]) is list:
                    node[key] += [copied(one) for one in value if one not in node[key]]
                continue
            if shape.is_open:
                node[key] = copied(value)
                continue
            place = places.get(key)
            if place is None or any(other in node for other in place.others):
                continue
            if key[0] == "_":
                if place.is_primitive:
                    node[key] = copied(value)
            elif place.is_primitive and type(value) not in _STRUCTURES:
                node[key] = [value] if place.is_list else value
            else:
                self._element(run, Item(value, None, None, item, key), target, place)

    def _places(self, shape: Shape) -> dict[str, _Place]:
        """The JSON keys of a type, those beside primitives included, worked out once."""
        found: dict[str, _Place] | None = self._unit.identity_places.get(shape)
        if found is None:
            found = {}
            for key in shape.order:
                if (element := shape.elements.get(key)) is not None:
                    kind = self._unit.shapes.resolve(element.type)
                    others = _other_choices(shape, element)
                    place = _Place(kind, element.is_list, kind.is_primitive, others)
                    found[key] = found[f"_{key}"] = place
            self._unit.identity_places[shape] = found
        return found

    def _element(self, run: Run, item: Item, target: Target, element: _Place) -> None:
        node, key, shape = target.node, item.name, element.shape
        given = item.value if type(item.value) is list else [item.value]
        made = []
        for index, value in enumerate(given):
            place = index if type(item.value) is list else -1
            child = Item(value, shape, None, item.parent, key, place)
            content = self._content(run, child, target, key, shape)
            if content is None and value is not None:
                run.report("FB-2112", self._location, child, element=key, type=shape.name)
            elif content is not None or shape.is_primitive:
                made.append(content)
        if node is None or all(one is None for one in made):
            return
        node[key] = made if element.is_list else made[0]
        if not element.is_list and len(made) > 1:
            second = Item(given[1], shape, None, item.parent, key, 1)
            run.report("FB-2112", self._location, second, element=key, type=shape.name)

    def _content(self, run: Run, item: Item, target: Target, key: str, shape: Shape) -> Any:
        """The value as the type has it, or None when it does not fit."""
        value = item.value
        if shape.is_primitive:
            return reference_text(value, shape) if type(value) is dict else value
        if type(value) is not dict:
            return {"reference": value} if value and shape.name == "Reference" else None
        if shape.is_open:
            return copied(value)
        if shape.is_resource:
            return self._resource(run, item, target, key)
        made = Target(shape, {}, target, key, item.index)
        group = self._unit.group_for_types(shape.name, shape.name)
        if group is None:
            self._fill(run, item, made)
        else:
            self._run_group(run, group, [item, made], self._location)
        return made.node

    def _resource(self, run: Run, item: Item, target: Target, key: str) -> Any:
        named = item.value.get("resourceType")
        if type(named) is not str:
            return None
        shape = self._unit.shapes.find(self._unit.resource_for(named))
        if shape is None or not shape.is_resource:
            return None
        made = Target(shape, {"resourceType": shape.name}, target, key, item.index)
        inner = Item(item.value, shape, None, item.parent, item.name, item.index)
        self._convert(run, inner, made)
        return made.node


def inherited_keys(shape: Shape) -> frozenset[str]:
    """The JSON keys that a type has, those beside primitives included."""
    return frozenset([*shape.order, *(f"_{key}" for key in shape.order)])


def _other_choices(shape: Shape, element: ElementShape) -> tuple[str, ...]:
    """The other keys of the same choice: where one is there, this one is told already."""
    choice = shape.elements.get(element.name, element)
    own = element.keys.values()
    return tuple(key for key in choice.keys.values() if key not in own) if choice.is_choice else ()

"""Writing one element of the target: make it, create it with a type, put a value into it.

https://hl7.org/fhir/R4/mapping-language.html#targets

A writer belongs to one target of one rule and keeps, by shape, how the element is filled,
so that the definitions are read once.
"""

from __future__ import annotations

from typing import Any

from fhir_bridge.fhir.marks import NULL, is_null
from fhir_bridge.shapes import ElementShape, Shape, Shapes
from fhir_bridge.transform.runtime.coerce import MISFIT
from fhir_bridge.transform.runtime.run import RuleLocation, Run
from fhir_bridge.transform.runtime.source import Item, scalar
from fhir_bridge.transform.runtime.target import Place, Target, TargetPlan, plan_for

__all__ = ["Writer", "copied", "reference_text"]


_CONTENTS = ("value", "code", "text", "start", "end", "reference", "display", "url", "id")
"""The part of a complex type that a null stands in, the first that the type has."""


def copied(value: Any) -> Any:
    """A deep copy of plain JSON: a target never shares objects with its source."""
    if type(value) is dict:
        return {key: copied(child) for key, child in value.items()}
    if type(value) is list:
        return [copied(child) for child in value]
    return value


class Writer:
    """Fills the element `name` of whatever target the rule is at."""

    def __init__(
        self, name: str, shapes: Shapes, location: RuleLocation, modes: tuple[str, ...] = ()
    ) -> None:
        self.name = name
        self.location = location
        self._shapes = shapes
        self._plans: dict[Shape, TargetPlan] = {}
        self._reuse_first = "single" in modes or "collate" in modes
        self._stay_last = "last" in modes

    def plan(self, shape: Shape) -> TargetPlan:
        """How a target of this shape is filled; raises FB-2109 when it has no such element."""
        plan = self._plans.get(shape)
        if plan is None:
            found = plan_for(shape, self.name, self._shapes)
            if found is None and shape.is_open:
                element = ElementShape(self.name, {"?": self.name}, is_list=False)
                shape.elements.setdefault(self.name, element)
                found = plan_for(shape, self.name, self._shapes)
            if found is None:
                raise self.location.failure("FB-2109", name=self.name, type=shape.name)
            plan = self._plans[shape] = found
        return plan

    def _open(self, target: Target) -> tuple[TargetPlan, dict[str, Any]]:
        """The plan and the object to write into; a primitive's id and extensions lie beside it."""
        node = target.node
        if node is None:
            element = self._shapes.resolve("Element")
            return self.plan(element), target.companion()
        return self.plan(target.shape), node

    def make(self, run: Run, target: Target) -> Target:
        """The element as a target of its own: a new item of a list, else the one there is."""
        if target.node is None and self.name == "value":
            return target
        plan, node = self._open(target)
        place = plan.only
        if place is None:
            there = [place for place in plan.by_type.values() if place.key in node]
            if not there:
                raise self.location.failure("FB-2118", name=self.name, type=target.shape.name)
            place = there[0]
        return self._made(run, target, place, place.shape)

    def create(self, run: Run, target: Target, shape: Shape) -> Target:
        """The element as a new value of the type `shape`."""
        if target.node is None and self.name == "value":
            return target
        plan, node = self._open(target)
        place = plan.place_for_type(shape.name)
        if place is None:
            raise self.location.failure("FB-2119", name=self.name, type=shape.name)
        if plan.is_choice:
            _clear_other_keys(node, plan, place)
        if place.shape.is_resource and shape.kind == "logical":
            shape = self._shapes.find(shape.name) or shape  # a CDA class of the same name
        actual = shape if self._may_be(shape, place.shape) else place.shape
        return self._made(run, target, place, actual)

    def _may_be(self, shape: Shape, declared: Shape) -> bool:
        if shape is declared or declared.is_abstract or declared.is_open:
            return True
        return self._shapes.is_a(shape, declared.name)

    def _made(self, run: Run, target: Target, place: Place, shape: Shape) -> Target:
        key = place.key
        node = target.companion() if target.node is None else target.node
        if shape.is_primitive:
            if not place.is_list:
                return Target(shape, None, target, key, -1, node)
            items = node.setdefault(key, [])
            if self._reuse_first and items:
                return Target(shape, None, target, key, 0, node)
            return Target(shape, None, target, key, self._add(run, key, items, None), node)
        if place.is_list:
            items = node.setdefault(key, [])
            if self._reuse_first and items:
                return Target(shape, items[0], target, key, 0, node)
            child = _fresh(shape, place)
            return Target(shape, child, target, key, self._add(run, key, items, child), node)
        there = node.get(key)
        if type(there) is not dict or (
            shape.is_resource and there.get("resourceType") != shape.name
        ):
            there = node[key] = _fresh(shape, place)
        return Target(shape, there, target, key, -1, node)

    def _add(self, run: Run, key: str, items: list[Any], item: Any) -> int:
        """Append, before the items that were asked to stay last."""
        trailing = run.trailing
        waiting = trailing.get((id(items), key), 0) if trailing else 0
        if self._stay_last:
            trailing[id(items), key] = waiting + 1
            waiting = 0
        if waiting:
            items.insert(len(items) - waiting, item)
            return len(items) - waiting - 1
        items.append(item)
        return len(items) - 1

    def put(self, run: Run, target: Target, item: Item, here: Item | None) -> Target | None:
        """Give the element a copy of `item`; nothing happens when there is no value.

        A value that does not fit is FB-2112 at the source position, and left out.
        """
        if target.node is None and self.name == "value":
            return self._put_scalar(run, target, item, here)
        plan, node = self._open(target)
        value = item.value
        place = plan.place_for(item)
        if place is None and is_null(value):
            place = next(iter(plan.by_type.values()))  # no type takes a text: any tells as much
        if place is None:
            if scalar(value) not in (None, ""):
                self._misfit(run, item, here, target.shape.name)
            return None
        if plan.is_choice:
            _clear_other_keys(node, plan, place)
        if place.shape.is_primitive:
            return self._put_primitive(run, target, place, item, here)
        content = _object(run, value, place)
        if content is None:
            if scalar(value) not in (None, ""):
                self._misfit(run, item, here, place.shape.name)
            return None
        index = -1
        if place.is_list:
            items = node.setdefault(place.key, [])
            index = self._add(run, place.key, items, content)
        else:
            node[place.key] = content
        if run.lineage is not None:
            run.wrote(target, place.key, index, _origin(item, here), self.location)
        shape = _shape_of(content, item, place, self._shapes)
        return Target(shape, content, target, place.key, index, node)

    def _put_primitive(
        self,
        run: Run,
        target: Target,
        place: Place,
        item: Item,
        here: Item | None,
    ) -> Target | None:
        node = target.companion() if target.node is None else target.node
        value = scalar(item.value)
        if type(item.value) is dict:
            value = reference_text(item.value, place.shape)
            if value is None:
                self._misfit(run, item, here, place.shape.name)
                return None
        if value == "":
            value = None
        if value is not None:
            value = place.coerce(value)
            if value is MISFIT:
                self._misfit(run, item, here, place.shape.name)
                return None
        elif item.companion is None:
            return None
        key, index = place.key, -1
        if place.is_list:
            items = node.setdefault(key, [])
            index = self._add(run, key, items, value)
        elif value is not None:
            node[key] = value
        written = Target(place.shape, None, target, key, index, node)
        if item.companion is not None and target.shape.kind != "logical":
            run.copies(item.companion)
            written.companion().update(copied(item.companion))
        if run.lineage is not None:
            run.wrote(target, key, index, _origin(item, here), self.location)
        return written

    def _put_scalar(self, run: Run, target: Target, item: Item, here: Item | None) -> Target | None:
        """``x.value = v`` where x is itself a primitive."""
        value = scalar(item.value)
        if value is None or value == "":
            return target
        plan = self._plans.get(target.shape)
        if plan is None:
            place = Place("value", target.shape, is_list=False)
            plan = TargetPlan("value", {target.shape.name: place}, self._shapes, is_choice=False)
            self._plans[target.shape] = plan
        coerced = plan.only.coerce(value) if plan.only else value
        if coerced is MISFIT:
            self._misfit(run, item, here, target.shape.name)
            return None
        target.set_scalar(coerced)
        if run.lineage is not None:
            run.wrote(target, "", -1, _origin(item, here), self.location)
        return target

    def _misfit(self, run: Run, item: Item, here: Item | None, type_name: str) -> None:
        run.report("FB-2112", self.location, _origin(item, here), element=self.name, type=type_name)


def _object(run: Run, value: Any, place: Place) -> Any:
    """The content of a complex element: an object copied, or what stands for a text."""
    if type(value) is dict:
        if place.shape.is_abstract and place.shape.is_resource and "resourceType" not in value:
            return None
        if run.copied is not None:
            run.copies(value)
        return copied(value)
    text = scalar(value)
    if text is None or text == "":
        return None
    if place.shape.name == "Reference" and isinstance(text, str):
        return {"reference": text}
    if place.shape.is_open:
        return text
    if is_null(text):
        return _null_object(place.shape)
    return {"xmlText": text} if "xmlText" in place.shape.elements else None


def _null_object(shape: Shape) -> dict[str, Any]:
    """What takes back a complex element: null in the part that is its content."""
    parts = [name for name in _CONTENTS if name in shape.elements]
    return dict.fromkeys(parts[:1] if parts[:1] != ["start"] else parts[:2], NULL)


def reference_text(value: dict[str, Any], shape: Shape) -> Any:
    """STU3 often has a Reference where R4 has the canonical URL of the same thing."""
    text = value.get("reference")
    return text if isinstance(text, str) and shape.name in ("canonical", "uri") else None


def _fresh(shape: Shape, place: Place) -> dict[str, Any]:
    if shape.is_resource and not shape.is_abstract:
        return {"resourceType": shape.name}
    declared = place.shape
    untold = declared.is_abstract and not declared.is_resource and shape is not declared
    return {"xsi:type": shape.name.replace("-", "_")} if untold or place.says_type else {}


def _clear_other_keys(node: dict[str, Any], plan: TargetPlan, place: Place) -> None:
    for key in plan.keys:
        if key != place.key:
            node.pop(key, None)
            node.pop(f"_{key}", None)


def _origin(item: Item, here: Item | None) -> Item | None:
    """The item itself when it came from the source, else where the rule stands."""
    return item if item.parent is not None else here


def _shape_of(content: Any, item: Item, place: Place, shapes: Shapes) -> Shape:
    if type(content) is dict and type(content.get("resourceType")) is str:
        return shapes.resolve(content["resourceType"])
    if place.shape.is_abstract and item.shape is not None:
        return item.shape
    return place.shape

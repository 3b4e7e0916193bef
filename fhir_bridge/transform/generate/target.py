"""The target side of a rule as generated Python: plain writes into JSON objects.

A target is written out where its JSON key is known from the types alone; every other one is
called as its closure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhir_bridge.transform.compile.target import compile_target
from fhir_bridge.transform.generate.node import NotStatic, StaticNode
from fhir_bridge.transform.generate.object import (
    write_clearing,
    write_object,
    write_value,
    write_way,
)
from fhir_bridge.transform.generate.place import place_of_object, place_of_value, plans_for
from fhir_bridge.transform.generate.put import write_put
from fhir_bridge.transform.generate.value import value_of

if TYPE_CHECKING:
    from fhir_bridge.fml import RuleTarget
    from fhir_bridge.transform.compile.scope import Scope
    from fhir_bridge.transform.compile.unit import RuleView
    from fhir_bridge.transform.generate.writer import GroupWriter

__all__ = ["write_target"]


def write_target(writer: GroupWriter, target: RuleTarget, view: RuleView, outer: Scope) -> None:
    """Write one target of a rule."""
    mark = writer.mark()
    try:
        if not target.context:
            _without_context(writer, target, view)
        else:
            _in_context(writer, target, view)
    except NotStatic:
        writer.take_back(mark)
        writer.seen_by_closures(view.scope)
        closure = compile_target(target, view, outer)
        if target.variable:
            slot = view.scope.targets[target.variable]
            writer.nodes.pop(slot, None)
            writer.values.pop(slot, None)
        writer.line(f"{writer.bind(closure, 'target')}(run, frame)")


def _without_context(writer: GroupWriter, target: RuleTarget, view: RuleView) -> None:
    transform = target.transform
    if transform is None or transform.name == "create":
        raise NotStatic
    value = value_of(writer, transform, view)
    slot = view.scope.declare_target(target.variable)
    if slot < 0:
        writer.line(value)
        return
    writer.values[slot] = (f"v{slot}", False)
    writer.line(f"v{slot} = frame[{slot}] = {value}")


def _in_context(writer: GroupWriter, target: RuleTarget, view: RuleView) -> None:
    context = view.scope.target_first(target.context)
    node = writer.nodes.get(context) if context is not None else None
    if node is None or target.list_modes:
        raise NotStatic
    made: StaticNode | None
    if target.element:
        made = _element(writer, node, target, view)
    elif target.transform is None:
        made = node  # another name for the same object
    else:
        raise NotStatic
    slot = view.scope.declare_target(target.variable)
    if slot >= 0:
        if made is None:
            raise NotStatic
        writer.nodes[slot] = made


def _element(
    writer: GroupWriter, node: StaticNode, target: RuleTarget, view: RuleView
) -> StaticNode | None:
    """Write a target ``context.element``; the object it makes, if any."""
    if node.key and target.element == "value":
        raise NotStatic
    shape = view.unit.shapes.resolve("Element") if node.key else node.shape
    plans = plans_for(shape, target.element.split("."), view)
    transform = target.transform
    if transform is None or transform.name == "create":
        place = place_of_object(plans[-1], transform, view)
        return write_object(writer, write_way(writer, node, plans[:-1], view), plans[-1], place)
    place, literal = place_of_value(plans[-1], transform, view)
    if literal is None:
        return write_put(writer, node, plans, place, target, transform, view)
    node = write_way(writer, node, plans[:-1], view)
    write_clearing(writer, node, plans[-1], place)
    write_value(writer, node, place, repr(literal.value))
    return None

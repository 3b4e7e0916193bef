"""JSON objects of the target as generated Python: made, found, appended, cleared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhir_bridge.transform.generate.node import StaticNode

if TYPE_CHECKING:
    from fhir_bridge.transform.compile.unit import RuleView
    from fhir_bridge.transform.generate.writer import GroupWriter
    from fhir_bridge.transform.runtime.target import Place, TargetPlan

__all__ = ["write_clearing", "write_object", "write_value", "write_way"]


def write_way(
    writer: GroupWriter, node: StaticNode, plans: list[TargetPlan], view: RuleView
) -> StaticNode:
    """Write the way from the context of a target to the object that takes the value."""
    if node.may_be_none:
        location = writer.bind(view.location, "location")
        writer.line(f"if {node.name} is None: no_target({location})")
    if node.key:
        name, beside = writer.fresh("n"), f"_{node.key}"
        shape = view.unit.shapes.resolve("Element")
        writer.line(f"{name} = {node.name}.setdefault({beside!r}, {{}})")
        node = StaticNode(name, shape, writer.bind(shape, "shape"))
    for plan in plans:
        if plan.only is not None:
            node = write_object(writer, node, plan, plan.only)
    return node


def write_object(
    writer: GroupWriter, node: StaticNode, plan: TargetPlan, place: Place
) -> StaticNode:
    """A new object in a list, else the object that is there or a new one."""
    write_clearing(writer, node, plan, place)
    name, shape, key = writer.fresh("n"), place.shape, place.key
    fresh = f"{{'resourceType': {shape.name!r}}}" if shape.is_resource else "{}"
    if place.is_list:
        writer.line(f"{name} = {fresh}")
        write_value(writer, node, place, name)
    else:
        other = f" or {name}.get('resourceType') != {shape.name!r}" if shape.is_resource else ""
        writer.line(f"{name} = {node.name}.get({key!r})")
        writer.line(f"if type({name}) is not dict{other}: {name} = {node.name}[{key!r}] = {fresh}")
    made = StaticNode(name, shape, writer.bind(shape, "shape"))
    if shape.is_resource and key == "resource":
        made.holder = node.name
    return made


def write_value(writer: GroupWriter, node: StaticNode, place: Place, value: str) -> None:
    """Append the value to the list of its place, or set it."""
    key = place.key
    if not place.is_list:
        writer.line(f"{node.name}[{key!r}] = {value}")
        return
    items = writer.fresh("l")
    writer.line(f"{items} = {node.name}.get({key!r})")
    writer.line(f"if {items} is None: {node.name}[{key!r}] = [{value}]")
    writer.line(f"else: {items}.append({value})")


def write_clearing(writer: GroupWriter, node: StaticNode, plan: TargetPlan, place: Place) -> None:
    """A choice has one value: what stands under another of its keys goes."""
    if not plan.is_choice:
        return
    others = [key for key in plan.keys if key != place.key]
    names = writer.bind(frozenset([*others, *(f"_{key}" for key in others)]), "others")
    writer.line(f"if not {node.name}.keys().isdisjoint({names}):")
    writer.line(f"    for other in {names}: {node.name}.pop(other, None)")

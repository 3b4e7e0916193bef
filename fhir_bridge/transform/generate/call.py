"""The call of a group as generated Python: the generated function of that group, called."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

from fhir_bridge.transform.compile.hooks import does_nothing
from fhir_bridge.transform.compile.rule import compile_call
from fhir_bridge.transform.compile.unit import CompiledGroup, RuleView
from fhir_bridge.transform.generate.node import StaticNode
from fhir_bridge.transform.generate.parts import too_deep
from fhir_bridge.transform.generate.writer import GroupWriter
from fhir_bridge.transform.runtime.run import MAX_CALLS, RuleLocation

if TYPE_CHECKING:
    from fhir_bridge.fml import GroupCall

__all__ = ["write_call"]


def write_call(writer: GroupWriter, call: GroupCall, view: RuleView) -> None:
    """Write the call of a group, or of its closure where a target is not static."""
    group = writer.unit.resolve_group(call.name)
    view_of_call = RuleView(
        view.scope,
        writer.unit,
        RuleLocation(view.location.map_url, view.location.rule, call.line),
        view.here,
    )
    if group is not None and does_nothing(group.group):
        return
    given = _arguments(writer, call, group, view_of_call) if group is not None else None
    if group is None or given is None:
        writer.seen_by_closures(view.scope)
        writer.line(f"{writer.bind(compile_call(call, view), 'call')}(run, frame)")
        return
    arguments, nodes = given
    generated = writer.specialise(group, tuple(node.shape for node in nodes))
    callee = writer.bind(generated, "group")
    location = writer.bind(view_of_call.location, "location")
    sure = " and ".join(f"{node.name} is not None" for node in nodes if node.may_be_none)
    with writer.block(f"if {sure}:") if sure else nullcontext():
        writer.line(f"if run.depth >= {MAX_CALLS}: {writer.bind(too_deep, 'deep')}({location})")
        writer.line(f"{callee}.function(run, {', '.join(arguments)})")


def _arguments(
    writer: GroupWriter, call: GroupCall, group: CompiledGroup, view: RuleView
) -> tuple[list[str], list[StaticNode]] | None:
    """What the function is called with, and the targets among it; None if one is not static."""
    expected = group.group.parameters
    if len(expected) != len(call.parameters):
        return None
    arguments: list[str] = []
    nodes: list[StaticNode] = []
    for parameter, one in zip(expected, call.parameters, strict=True):
        if parameter.mode == "source":
            arguments.append(writer.value(one, view))
            continue
        slot = view.scope.target_first(str(one.value)) if one.kind == "name" else None
        node = writer.nodes.get(slot) if slot is not None else None
        if node is None or node.key:
            return None
        nodes.append(node)
        arguments.append(node.name)
        if node.shape.is_resource:
            arguments.append(node.holder or "None")
    return arguments, nodes

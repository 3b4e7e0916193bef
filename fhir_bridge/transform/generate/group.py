"""One group as a generated function: its parameters, its rules in order."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING

from fhir_bridge.codegen import Unwritten
from fhir_bridge.transform.compile.rule import compile_rule, infer_dispatch
from fhir_bridge.transform.compile.rule import rule_name as name_of_rule
from fhir_bridge.transform.compile.scope import Scope, Slots
from fhir_bridge.transform.compile.unit import CompilationUnit, CompiledGroup, RuleView
from fhir_bridge.transform.generate.call import write_call
from fhir_bridge.transform.generate.node import StaticNode
from fhir_bridge.transform.generate.source import write_source
from fhir_bridge.transform.generate.target import write_target
from fhir_bridge.transform.generate.writer import GroupWriter, Specialise
from fhir_bridge.transform.runtime.run import RuleLocation

if TYPE_CHECKING:
    from fhir_bridge.fml import Rule
    from fhir_bridge.shapes import Shape

__all__ = ["write_group"]


def write_group(
    compiled: CompiledGroup,
    unit: CompilationUnit,
    shapes: tuple[Shape, ...],
    specialise: Specialise,
) -> Callable[..., None]:
    """The function ``(run, argument…)`` of a group for targets of the shapes given.

    A resource among the arguments is followed by the entry it is in.  Raises `Unwritten`
    where the group needs the closures.
    """
    group = compiled.group
    if group.extends:
        raise Unwritten("a group that extends another")
    writer = GroupWriter(unit, specialise)
    slots = Slots()
    scope = Scope(slots, parameters=frozenset(one.name for one in group.parameters))
    arguments, in_frame = _declare(writer, compiled, shapes, scope)
    for rule in group.rules:
        _write_rule(writer, rule, scope)
    in_frame += ["None"] * (slots.count - len(in_frame))
    head = (
        f"def group(run, {', '.join(arguments)}):",
        f"    frame = [{', '.join(in_frame)}]",
        "    run.depth += 1",
    )
    return writer.compiled(head, "    run.depth -= 1", f"<map group {group.name}>")


def _declare(
    writer: GroupWriter, compiled: CompiledGroup, shapes: tuple[Shape, ...], scope: Scope
) -> tuple[list[str], list[str]]:
    """Declare the parameters: the arguments of the function and the frame it begins with."""
    arguments: list[str] = []
    in_frame: list[str] = []
    left = iter(shapes)
    for parameter, read_as in zip(compiled.group.parameters, compiled.source_types, strict=True):
        if parameter.mode == "source":
            slot = scope.declare_source(parameter.name)
            name = f"s{slot}"
            writer.values[slot] = (name, False)
            writer.parameters.add(slot)
            arguments.append(name)
            in_frame.append(name)
            _closures_for_types(read_as)
            continue
        slot = scope.declare_target(parameter.name)
        shape = next(left)
        node = writer.nodes[slot] = StaticNode(f"n{slot}", shape, writer.bind(shape, "shape"))
        arguments.append(node.name)
        if shape.is_resource:
            node.holder = f"h{slot}"
            arguments.append(node.holder)
        in_frame.append("None")
    return arguments, in_frame


def _closures_for_types(shape: Shape | None) -> None:
    """A source with a declared type is read by its definition, which the closures do."""
    if shape is not None and not shape.is_primitive:
        raise Unwritten("a source with a declared type")


def _write_rule(writer: GroupWriter, rule: Rule, outer: Scope) -> None:
    """Write a rule, or the call of its closure."""
    unit = writer.unit
    if rule.is_simple:
        writer.seen_by_closures(outer)
        writer.line(f"{writer.bind(compile_rule(rule, outer, unit), 'rule')}(run, frame)")
        return
    structure_map = unit.structure_map
    location = RuleLocation(structure_map.url or structure_map.name, name_of_rule(rule), rule.line)
    scope = outer.inner()
    with ExitStack() as loops:
        heres = [
            loops.enter_context(write_source(writer, source, scope, location))
            for source in rule.sources
        ]
        _write_steps(writer, rule, RuleView(scope, unit, location, heres[0]), outer)


def _write_steps(writer: GroupWriter, rule: Rule, view: RuleView, outer: Scope) -> None:
    """Write what a rule does for each item: targets, nested rules, calls."""
    scope = view.scope
    for target in rule.targets:
        if "share" in target.list_modes:
            raise Unwritten("a target that is shared")
        write_target(writer, target, view, outer)
    dispatch = infer_dispatch(rule, scope, writer.unit, view.location)
    if dispatch is not None:
        writer.seen_by_closures(scope)
        writer.line(f"{writer.bind(dispatch, 'dispatch')}(run, frame)")
    nested = scope.inner()
    for one in rule.rules:
        _write_rule(writer, one, nested)
    for call in rule.calls:
        write_call(writer, call, view)

"""The source side of a rule as generated Python: loops over items, and their conditions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from fhir_bridge.codegen import Unwritten
from fhir_bridge.shapes import plain_type_name
from fhir_bridge.transform.compile.expression import CompiledExpression
from fhir_bridge.transform.compile.source import compile_source, compile_start
from fhir_bridge.transform.generate.expressions.condition import write_condition
from fhir_bridge.transform.generate.writer import GroupWriter, mentions
from fhir_bridge.transform.runtime.children import fetcher

if TYPE_CHECKING:
    from fhir_bridge.fml import RuleSource
    from fhir_bridge.transform.compile.scope import Scope
    from fhir_bridge.transform.compile.unit import CompilationUnit
    from fhir_bridge.transform.runtime.run import RuleLocation

__all__ = ["write_source"]

_SLICES = {"first": "[:1]", "not_first": "[1:]", "last": "[-1:]", "not_last": "[:-1]"}


@contextmanager
def write_source(
    writer: GroupWriter, source: RuleSource, scope: Scope, location: RuleLocation
) -> Iterator[int]:
    """Write the loop over the items of a source; gives the slot of the item."""
    outer = scope.inner()
    context = scope.source_first(source.context)
    condition = source.condition
    found: str | None
    if context is None or _needs_closure(writer, source, context):
        closure, slot = compile_source(source, scope, writer.unit, location)
        read = (source.context, condition, source.check, source.log, source.default)
        writer.seen_by_closures(outer, " ".join(read))
        found = f"{writer.bind(closure, 'items')}(run, frame)"
        condition = ""
    else:
        slot = scope.declare_source(source.variable)
        found = _items(writer, source, outer, context, location)
    name = f"s{slot}"
    filters = bool(condition) and _filters_first(writer, source, outer)
    with ExitStack() as blocks:
        if filters:
            writer.seen_by_closures(outer, condition)
            test = _condition(writer, condition, scope, location)
            found = f"filtered({found or f'({writer.values[context or 0][0]},)'}, {test}, run, frame, {slot})"
            found += _SLICES.get(source.list_mode, "")
        if found is not None:
            blocks.enter_context(writer.loop(f"for {name} in {found}:"))
        else:
            writer.line(f"{name} = {writer.values[context or 0][0]}")
        writer.values[slot] = (name, True)
        writer.line(f"frame[{slot}] = {name}")
        if condition and not filters:
            test = _condition(writer, condition, scope, location)
            blocks.enter_context(writer.block(f"if {test}(run, frame, {name}):"))
        yield slot


def _filters_first(writer: GroupWriter, source: RuleSource, scope: Scope) -> bool:
    """Whether the condition is asked of every item before the rule is applied to the first."""
    return bool(source.list_mode) or any(
        slot in writer.nodes and name not in scope.sources and mentions(source.condition, name)
        for name, slot in scope.targets.items()
    )


def _needs_closure(writer: GroupWriter, source: RuleSource, context: int) -> bool:
    """Whether only the closure reads the source as it asks."""
    return bool(
        source.default
        or source.minimum is not None
        or source.check
        or source.log
        or source.list_mode == "only_one"
        or context not in writer.values
    )


def _items(
    writer: GroupWriter, source: RuleSource, scope: Scope, context: int, location: RuleLocation
) -> str | None:
    """The items as a Python expression; None when it is the one item of the context."""
    name, is_item = writer.values[context]
    if not source.element:
        one = f"(({name},) if type({name}) is Item else listed({name}))"
        found = None if is_item else one
    elif "." in source.element:
        start = compile_start(source, scope, writer.unit, location)
        found = f"{writer.bind(start, 'start')}(run, frame)"
    else:
        found = _children(writer, context, source.element)
    if source.type:
        found = _of_type(writer.unit, found or f"({name},)", source.type)
    if source.list_mode and not source.condition:
        found = f"{found or f'({name},)'}{_SLICES[source.list_mode]}"
    return found


def _children(writer: GroupWriter, context: int, element: str) -> str:
    """The children of a variable; those of a parameter are read once, before any loop."""
    name, is_item = writer.values[context]
    kept = writer.kept.get((context, element))
    if kept is not None:
        return kept
    fetch = writer.bind(fetcher(element, writer.unit.shapes), "fetch")
    found = f"{fetch}({name})"
    if not is_item:
        found = f"({found} if type({name}) is Item else children({name}, {fetch}))"
    if context in writer.parameters and writer.depth == 1:
        kept = writer.kept[context, element] = writer.fresh("kept")
        writer.line(f"{kept} = {found}")
        return kept
    return found


def _of_type(unit: CompilationUnit, found: str, type_name: str) -> str:
    shape = unit.shapes.find(unit.type_url(type_name))
    if shape is not None and shape.is_abstract:
        raise Unwritten("a type that is abstract")
    return f"of_type({found}, {plain_type_name(unit.type_url(type_name))!r})"


def _condition(writer: GroupWriter, text: str, scope: Scope, location: RuleLocation) -> str:
    """The name of the function that says whether the condition holds."""
    return write_condition(writer, CompiledExpression(text, scope, writer.unit, location))

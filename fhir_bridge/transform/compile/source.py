"""The source side of a rule to a function that lists the items it fires for.

https://hl7.org/fhir/R5/mapping-language.html#sources, in this order: element, default,
cardinality, type, where, check, log, list mode.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fhir_bridge.fml import RuleSource
from fhir_bridge.shapes import plain_type_name
from fhir_bridge.transform.compile.expression import CompiledExpression
from fhir_bridge.transform.compile.scope import Scope
from fhir_bridge.transform.compile.unit import CompilationUnit
from fhir_bridge.transform.runtime.children import fetcher
from fhir_bridge.transform.runtime.run import RuleLocation, Run
from fhir_bridge.transform.runtime.source import Item
from fhir_bridge.transform.runtime.target import Target

__all__ = ["compile_source", "compile_start", "listed"]

Frame = list[Any]
Items = Callable[[Run, Frame], list[Item]]
Step = Callable[[Run, Frame, list[Item]], list[Item]]


def compile_source(
    source: RuleSource, scope: Scope, unit: CompilationUnit, location: RuleLocation
) -> tuple[Items, int]:
    """The function that lists the items, and the slot that each is put into."""
    start = compile_start(source, scope, unit, location)
    outer = scope.inner()
    slot = scope.declare_source(source.variable)
    steps: list[Step] = []
    if source.default:
        steps.append(_default(CompiledExpression(source.default, outer, unit, location)))
    if source.minimum is not None:
        steps.append(_cardinality(source, location))
    if source.type:
        steps.append(_type_filter(source.type, unit))
    for expression, make in (
        (source.condition, _condition),
        (source.check, _check),
        (source.log, _log),
    ):
        if expression:
            compiled = CompiledExpression(expression, scope, unit, location)
            steps.append(make(compiled, slot))
    if source.list_mode:
        steps.append(_list_mode(source.list_mode, location))
    if not steps:
        return start, slot
    if len(steps) == 1:
        only = steps[0]
        return (lambda run, frame: only(run, frame, start(run, frame))), slot

    def items(run: Run, frame: Frame) -> list[Item]:
        found = start(run, frame)
        for step in steps:
            found = step(run, frame, found)
        return found

    return items, slot


def compile_start(
    source: RuleSource, scope: Scope, unit: CompilationUnit, location: RuleLocation
) -> Items:
    """The function that lists the children a source names, before any filter."""
    context = scope.source_first(source.context)
    if context is None:
        raise location.failure("FB-2108", name=source.context)
    if not source.element:
        return lambda _run, frame: listed(frame[context])
    names = source.element.split(".")
    first, *rest = [fetcher(name, unit.shapes) for name in names]

    def children(_run: Run, frame: Frame) -> list[Item]:
        item = frame[context]
        if type(item) is not Item:
            items = [child for one in listed(item) for child in first(one)]
        else:
            items = first(item)
        for step in rest:
            items = [child for item in items for child in step(item)]
        return items

    return children


def listed(value: Any) -> list[Item]:
    """A variable as items; a target variable may be read like a source."""
    if isinstance(value, Item):
        return [value]
    if isinstance(value, Target):
        return [Item(value.value, value.shape)]
    return [child for one in value for child in listed(one)] if isinstance(value, list) else []


def _default(expression: CompiledExpression) -> Step:
    def step(run: Run, frame: Frame, items: list[Item]) -> list[Item]:
        return items or expression.items(run, frame, None)

    return step


def _cardinality(source: RuleSource, location: RuleLocation) -> Step:
    least = source.minimum or 0
    most = None if source.maximum == "*" else int(source.maximum or 0)

    def step(_run: Run, _frame: Frame, items: list[Item]) -> list[Item]:
        count = len(items)
        if count < least or (most is not None and count > most):
            item = items[0] if items else None
            raise location.failure("FB-2114", item, count=count, least=least, most=source.maximum)
        return items

    return step


def _type_filter(name: str, unit: CompilationUnit) -> Step:
    wanted = plain_type_name(unit.type_url(name))
    shape = unit.shapes.find(unit.type_url(name))
    abstract = shape is not None and shape.is_abstract
    shapes = unit.shapes

    def step(_run: Run, _frame: Frame, items: list[Item]) -> list[Item]:
        return [
            item
            for item in items
            if item.shape is not None
            and (item.shape.name == wanted or (abstract and shapes.is_a(item.shape, wanted)))
        ]

    return step


def _condition(expression: CompiledExpression, slot: int) -> Step:
    is_true = expression.is_true

    def step(run: Run, frame: Frame, items: list[Item]) -> list[Item]:
        kept: list[Item] = []
        for item in items:
            frame[slot] = item
            if is_true(run, frame, item):
                kept.append(item)
        return kept

    return step


def _check(expression: CompiledExpression, slot: int) -> Step:
    def step(run: Run, frame: Frame, items: list[Item]) -> list[Item]:
        for item in items:
            frame[slot] = item
            if not expression.is_true(run, frame, item):
                raise expression.location.failure("FB-2110", item, expression=expression.text)
        return items

    return step


def _log(expression: CompiledExpression, slot: int) -> Step:
    def step(run: Run, frame: Frame, items: list[Item]) -> list[Item]:
        for item in items:
            frame[slot] = item
            told = ", ".join(str(value) for value in expression.values(run, frame, item))
            run.budget.text(len(told))
            run.report("FB-2116", expression.location, item, "information", message=told)
        return items

    return step


def _list_mode(mode: str, location: RuleLocation) -> Step:
    if mode == "only_one":

        def only_one(_run: Run, _frame: Frame, items: list[Item]) -> list[Item]:
            if len(items) > 1:
                raise location.failure("FB-2113", items[1], count=len(items))
            return items

        return only_one
    part = {
        "first": slice(None, 1),
        "not_first": slice(1, None),
        "last": slice(-1, None),
        "not_last": slice(None, -1),
    }[mode]
    return lambda _run, _frame, items: items[part]

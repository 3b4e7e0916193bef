"""A rule to a function of (run, frame); groups to lists of such functions.

https://hl7.org/fhir/R5/mapping-language.html#rules and #groups
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from fhir_bridge.budget import BudgetExceeded
from fhir_bridge.errors import BridgeError
from fhir_bridge.fml import Group, GroupCall, GroupParameter, Rule
from fhir_bridge.transform.compile.hooks import does_nothing
from fhir_bridge.transform.compile.identity import Identity, inherited_keys
from fhir_bridge.transform.compile.scope import Scope
from fhir_bridge.transform.compile.source import Items, compile_source
from fhir_bridge.transform.compile.target import compile_target, dispatch_target
from fhir_bridge.transform.compile.transform import compile_argument
from fhir_bridge.transform.compile.unit import CompilationUnit, CompiledGroup, RuleView
from fhir_bridge.transform.runtime.run import MAX_CALLS, RuleLocation, Run
from fhir_bridge.transform.runtime.source import Item
from fhir_bridge.transform.runtime.target import Target
from fhir_bridge.transform.runtime.write import Writer, copied

__all__ = [
    "compile_call",
    "compile_rule",
    "compile_rules",
    "infer_dispatch",
    "inherit_identity",
    "rule_name",
    "run_group",
]

Frame = list[Any]
Step = Callable[[Run, Frame], None]
_SOURCE, _TARGET = GroupParameter("source", "source"), GroupParameter("target", "target")


def run_group(
    run: Run, group: CompiledGroup, arguments: Sequence[Any], location: RuleLocation
) -> None:
    """Run the rules of a group on its parameters, in order."""
    if run.depth >= MAX_CALLS:
        raise location.failure("FB-2117", limit=MAX_CALLS)
    run.budget.items(group.size)
    frame: Frame = [None] * group.frame_size
    for index, argument in enumerate(arguments[: len(group.source_types)]):
        frame[index] = argument
    for index, shape in enumerate(group.source_types):
        if shape is not None:
            given = frame[index]
            if type(given) is Item and given.shape is None and not shape.is_primitive:
                frame[index] = Item(
                    given.value, shape, given.companion, given.parent, given.name, given.index
                )
    run.depth += 1
    try:
        for rule in group.rules:
            rule(run, frame)
    except BudgetExceeded as error:
        raise error if error.issues[0].where else location.exceeded(error) from None
    run.depth -= 1


def compile_rules(rules: Sequence[Rule], scope: Scope, unit: CompilationUnit) -> list[Step]:
    """The functions of rules that stand side by side."""
    return [_either(unit, partial(compile_rule, rule, scope, unit)) for rule in rules]


def _either(unit: CompilationUnit, compile_step: Callable[[], Step]) -> Step:
    """The compiled step; where the unit is not strict, a step that reports what is wrong."""
    try:
        return compile_step()
    except BridgeError as error:
        if unit.is_strict:
            raise
        wrong = error

    def report(run: Run, _frame: Frame) -> None:
        run.issues += wrong.issues[:1]

    return report


def compile_rule(rule: Rule, outer: Scope, unit: CompilationUnit) -> Step:
    """The function of a rule in the scope around it."""
    location = RuleLocation(
        unit.structure_map.url or unit.structure_map.name, rule_name(rule), rule.line
    )
    scope = outer.inner()
    sources = [compile_source(source, scope, unit, location) for source in rule.sources]
    view = RuleView(scope, unit, location, sources[0][1])
    if rule.is_simple:
        return _simple(rule, sources[0], scope, unit, location)
    steps = [_either(unit, partial(compile_target, target, view, outer)) for target in rule.targets]
    dispatch = infer_dispatch(rule, scope, unit, location)
    if dispatch is not None:
        steps.append(dispatch)
    nested_scope = scope.inner()
    steps += compile_rules(rule.rules, nested_scope, unit)
    calls = [_either(unit, partial(compile_call, call, view)) for call in rule.calls]
    steps += [call for call in calls if call is not _nothing]
    reset = tuple(nested_scope.shared.values())
    if len(sources) == 1:
        return _one_source(*sources[0], steps, reset, rule.size)
    return _many_sources(sources, steps, reset, rule.size)


def _one_source(
    items: Items, slot: int, steps: list[Step], reset: tuple[int, ...], size: int
) -> Step:
    """The steps for each item.

    One item for one is the work of the rule around it; what multiplies it is counted here.
    """
    if len(steps) == 1 and not reset:
        only = steps[0]

        def run_one_step(run: Run, frame: Frame) -> None:
            found = items(run, frame)
            if len(found) > 1:
                run.budget.items(size * len(found))
            for item in found:
                frame[slot] = item
                only(run, frame)

        return run_one_step

    def run_rule(run: Run, frame: Frame) -> None:
        found = items(run, frame)
        if len(found) > 1:
            run.budget.items(size * len(found))
        for item in found:
            frame[slot] = item
            for shared in reset:
                frame[shared] = None
            for step in steps:
                step(run, frame)

    return run_rule


def _many_sources(
    sources: list[tuple[Items, int]], steps: list[Step], reset: tuple[int, ...], size: int
) -> Step:
    """Every combination of the items of each source."""
    (items, slot), rest = sources[0], sources[1:]
    inner = (
        _many_sources(rest, steps, reset, size)
        if len(rest) > 1
        else _one_source(*rest[0], steps, reset, size)
    )
    return _one_source(items, slot, [inner], (), 1)


def _simple(
    rule: Rule,
    source: tuple[Items, int],
    scope: Scope,
    unit: CompilationUnit,
    location: RuleLocation,
) -> Step:
    """``a.b -> c.d``: the group for the two types, or a copy when no map has one."""
    items, _ = source
    target = rule.targets[0]
    context = scope.target_first(target.context)
    if context is None:
        raise location.failure("FB-2108", name=target.context)
    *path, name = target.element.split(".")
    steps = [Writer(part, unit.shapes, location) for part in path]
    writer = Writer(name, unit.shapes, location, target.list_modes)

    def run_simple(run: Run, frame: Frame) -> None:
        found = items(run, frame)
        if len(found) > 1:
            run.budget.items(len(found))
        for item in found:
            place = frame[context]
            for step in steps:
                place = step.make(run, place)
            transfer(run, item, place, writer, unit)

    return run_simple


def transfer(run: Run, item: Item, target: Target, writer: Writer, unit: CompilationUnit) -> None:
    """Fill an element from an item by the group for their types; else copy."""
    plan = writer.plan(target.shape) if target.node is not None else None
    place = plan.place_for(item) if plan is not None else None
    if place is not None:
        source_type = item.type_name or place.shape.name
        group = unit.group_for_types(source_type, place.shape.name)
        if group is not None:
            made = dispatch_target(run, target, writer, item)
            if made is not None:
                given = item if item.shape is not None else _typed(item, place.shape)
                run_group(run, group, (given, made), writer.location)
            return
    writer.put(run, target, item, item)


def _typed(item: Item, shape: Any) -> Item:
    return Item(item.value, shape, item.companion, item.parent, item.name, item.index)


def infer_dispatch(
    rule: Rule, scope: Scope, unit: CompilationUnit, location: RuleLocation
) -> Step | None:
    """``a as v -> b = create() as t`` alone: the group for the types of v and t."""
    if rule.rules or rule.calls or len(rule.sources) != 1 or len(rule.targets) != 1:
        return None
    source, target = rule.sources[0], rule.targets[0]
    transform = target.transform
    if transform is None or transform.name != "create" or transform.parameters:
        return None
    if not (source.variable and target.variable):
        return None
    if target.variable not in scope.targets:
        return None
    source_slot, target_slot = scope.sources[source.variable], scope.targets[target.variable]
    writer = Writer("value", unit.shapes, location)

    def dispatch(run: Run, frame: Frame) -> None:
        item, made = frame[source_slot], frame[target_slot]
        if made is None:
            return
        group = unit.group_for_types(item.type_name or made.shape.name, made.shape.name)
        if group is not None:
            run_group(run, group, (item, made), location)
        elif made.node is None:
            writer.put(run, made, item, item)
        elif type(item.value) is dict:
            run.copies(item.value)
            made.node.update(copied(item.value))

    return dispatch


def compile_call(call: GroupCall, rule_view: RuleView) -> Step:
    """The function of a group call; nothing is called where a target was not made."""
    unit, rule_site = rule_view.unit, rule_view.location
    location = RuleLocation(rule_site.map_url, rule_site.rule, call.line)
    view = RuleView(rule_view.scope, unit, location, rule_view.here)
    group = unit.resolve_group(call.name)
    expected = group.group.parameters if group else (_SOURCE, _TARGET)
    arguments = [
        compile_argument(
            parameter,
            view,
            is_target=index < len(expected) and expected[index].mode == "target",
        )
        for index, parameter in enumerate(call.parameters)
    ]
    if group is None:
        return _identity_call(call, arguments, unit, location)
    if len(arguments) != len(expected) and unit.is_strict:
        raise location.failure(
            "FB-2107", name=call.name, expected=len(expected), found=len(arguments)
        )
    if does_nothing(group.group):
        return _nothing
    targets = [index for index, one in enumerate(expected) if one.mode == "target"]

    def run_call(run: Run, frame: Frame) -> None:
        values = [argument(run, frame) for argument in arguments]
        for index in targets:
            if index < len(values) and values[index] is None:
                return  # what this target depends on had no value
        run_group(run, group, values, location)

    return run_call


def _nothing(_run: Run, _frame: Frame) -> None:
    """The call of a hook that no map defines."""


def _identity_call(
    call: GroupCall, arguments: list[Any], unit: CompilationUnit, location: RuleLocation
) -> Step:
    """A group that no map defines, named by a FHIR type: the same content in this release."""
    shape = unit.shapes.find(call.name)
    if shape is None or len(arguments) != 2:
        raise location.failure("FB-2103", name=call.name)
    identity = Identity(shape, unit, location, run_group)

    def copy_over(run: Run, frame: Frame) -> None:
        item, target = arguments[0](run, frame), arguments[1](run, frame)
        if isinstance(target, Target) and isinstance(item, Item):
            identity.copy_over(run, item, target)

    return copy_over


def inherit_identity(group: Group, unit: CompilationUnit, location: RuleLocation) -> Step:
    """What ``extends Type`` means when no map defines that group: the elements of the type.

    Raises BridgeError FB-2103 when the name is no type either.
    """
    shape = unit.shapes.find(group.extends)
    if shape is None or len(group.parameters) < 2:
        raise location.failure("FB-2103", name=group.extends)
    identity = Identity(shape, unit, location, run_group, inherited_keys(shape))

    def copy_base(run: Run, frame: Frame) -> None:
        if isinstance(frame[0], Item) and isinstance(frame[1], Target):
            identity.copy_over(run, frame[0], frame[1])

    return copy_base


def rule_name(rule: Rule) -> str:
    """The name of a rule for people: its own, else what it reads."""
    if rule.name:
        return rule.name
    source = rule.sources[0]
    return source.element or source.context

"""Groups as generated Python: the fast path of a run.

Where the types of the targets of a group are known before it runs, its rules are written as
one Python function: loops over source items, plain assignments into JSON objects, calls of
the functions of other groups.  What a rule does beyond that (shared items, target list
modes, choices told by the value) is called as the closure that `compile_target` and
`compile_rule` make of it (docs/decisions/adr-2611-transform-compiled-maps.md).

Promises: a generated function does exactly what the closures do.  Lineage, FHIR JSON as the
source and a target that is given take the closures.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from fhir_bridge.transform.compile_rule import compile_call, compile_rule, infer_dispatch
from fhir_bridge.transform.compile_rule import rule_name as name_of_rule
from fhir_bridge.transform.compile_source import compile_source, compile_start
from fhir_bridge.transform.compile_transform import compile_argument
from fhir_bridge.transform.expressions import CompiledExpression
from fhir_bridge.transform.generate_condition import CONDITION_PARTS, NotSimple, write_condition
from fhir_bridge.transform.generate_target import StaticNode, write_target
from fhir_bridge.transform.generated_parts import PARTS, too_deep
from fhir_bridge.transform.run import MAX_CALLS, Site
from fhir_bridge.transform.scope import Scope, Slots
from fhir_bridge.transform.shapes import Shape, plain_type_name
from fhir_bridge.transform.source import fetcher
from fhir_bridge.transform.structure_map import GroupCall, Parameter, Rule, RuleSource
from fhir_bridge.transform.unit import CompiledGroup, RuleView, Unit

__all__ = ["GeneratedGroup", "GroupWriter", "NotGenerated"]

_MOST_LOOPS = 12
_SLICES = {"first": "[:1]", "not_first": "[1:]", "last": "[-1:]", "not_last": "[:-1]"}


class NotGenerated(Exception):  # noqa: N818 - not an error: the closures take over
    """The group needs the closures."""


@dataclass(slots=True, eq=False)
class GeneratedGroup:
    """The function of a group for certain target types, replaced when it is written."""

    function: Callable[..., None]


Specialise = Callable[[CompiledGroup, tuple[Shape, ...]], GeneratedGroup]


class GroupWriter:
    """Writes the function of one group for targets of the shapes given."""

    def __init__(
        self, compiled: CompiledGroup, unit: Unit, shapes: tuple[Shape, ...], specialise: Specialise
    ) -> None:
        self.group = compiled.group
        self.unit = unit
        self.shapes = shapes
        self.space: dict[str, Any] = PARTS | CONDITION_PARTS
        self.nodes: dict[int, StaticNode] = {}
        self.values: dict[int, tuple[str, bool]] = {}  # slot -> Python name, surely an item
        self._compiled = compiled
        self._specialise = specialise
        self._functions: list[str] = []
        self._lines: list[str] = []
        self._depth = 1
        self._loops = 0
        self._kept: dict[tuple[int, str], str] = {}
        self._parameters: set[int] = set()
        self._names = 0

    # writing

    def line(self, text: str) -> None:
        """Write a line at the present depth."""
        self._lines.append("    " * self._depth + text)

    def function(self, text: str) -> None:
        """Keep a function that the text calls."""
        self._functions.append(text)

    def mark(self) -> int:
        """Where the text ends now."""
        return len(self._lines)

    def take_back(self, mark: int) -> None:
        """Forget what was written since `mark`, and the indentation with it."""
        del self._lines[mark:]

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """Write `head` and what stands below it."""
        self.line(head)
        self._depth += 1
        depth, before = self._depth, len(self._lines)
        try:
            yield
        except BaseException:
            self._depth = depth - 1
            raise
        if len(self._lines) == before:
            self.line("pass")
        self._depth -= 1

    def bind(self, value: Any, stem: str = "x") -> str:
        """A name for `value` in the generated function."""
        name = self.fresh(stem)
        self.space[name] = value
        return name

    def fresh(self, stem: str) -> str:
        """A name that is not used yet."""
        self._names += 1
        return f"{stem}_{self._names}"

    def write(self) -> Callable[..., None]:
        """The function ``(run, argument…)``; a resource is followed by the entry it is in."""
        if self.group.extends:
            raise NotGenerated
        slots = Slots()
        parameters = self.group.parameters
        scope = Scope(slots, parameters=frozenset(one.name for one in parameters))
        arguments, in_frame = self._declared(scope)
        for rule in self.group.rules:
            self.rule(rule, scope)
        in_frame += ["None"] * (slots.count - len(in_frame))
        head = [
            f"def group(run, {', '.join(arguments)}):",
            f"    frame = [{', '.join(in_frame)}]",
            "    run.depth += 1",
        ]
        text = "\n".join([*self._functions, *head, *self._lines, "    run.depth -= 1"])
        place = f"<map group {self.group.name}>"
        exec(compile(text, place, "exec"), self.space)  # noqa: S102 - our own text, names bound
        made: Callable[..., None] = self.space["group"]
        return made

    def _declared(self, scope: Scope) -> tuple[list[str], list[str]]:
        arguments: list[str] = []
        in_frame: list[str] = []
        shapes = iter(self.shapes)
        for index, parameter in enumerate(self.group.parameters):
            if parameter.mode == "source":
                slot = scope.declare_source(parameter.name)
                name = f"s{slot}"
                self.values[slot] = (name, False)
                self._parameters.add(slot)
                arguments.append(name)
                in_frame.append(name)
                _closures_for_types(self._compiled.source_types[index])
                continue
            slot = scope.declare_target(parameter.name)
            shape = next(shapes)
            node = self.nodes[slot] = StaticNode(f"n{slot}", shape, self.bind(shape, "shape"))
            arguments.append(node.name)
            if shape.is_resource:
                node.holder = f"h{slot}"
                arguments.append(node.holder)
            in_frame.append("None")
        return arguments, in_frame

    # rules

    def rule(self, rule: Rule, outer: Scope) -> None:
        """Write a rule, or the call of its closure."""
        if rule.is_simple:
            self.seen_by_closures(outer)
            self.line(f"{self.bind(compile_rule(rule, outer, self.unit), 'rule')}(run, frame)")
            return
        unit = self.unit
        site = Site(
            unit.structure_map.url or unit.structure_map.name, name_of_rule(rule), rule.line
        )
        scope = outer.inner()
        with ExitStack() as loops:
            heres = [
                loops.enter_context(self._source(source, scope, site)) for source in rule.sources
            ]
            self._steps(rule, RuleView(scope, unit, site, heres[0]), outer)

    def _steps(self, rule: Rule, view: RuleView, outer: Scope) -> None:
        """Write what a rule does for each item: targets, nested rules, calls."""
        scope = view.scope
        for target in rule.targets:
            if "share" in target.list_modes:
                raise NotGenerated
            write_target(self, target, view, outer)
        dispatch = infer_dispatch(rule, scope, self.unit, view.site)
        if dispatch is not None:
            self.seen_by_closures(scope)
            self.line(f"{self.bind(dispatch, 'dispatch')}(run, frame)")
        nested = scope.inner()
        for one in rule.rules:
            self.rule(one, nested)
        for call in rule.calls:
            self._call(call, view)

    @contextmanager
    def _source(self, source: RuleSource, scope: Scope, site: Site) -> Iterator[int]:
        """Write the loop over the items of a source; gives the slot of the item."""
        outer = scope.inner()
        context = scope.source_first(source.context)
        items, slot = compile_source(source, scope, self.unit, site)
        name = f"s{slot}"
        is_closure = (
            source.default
            or source.minimum is not None
            or source.check
            or source.log
            or source.list_mode == "only_one"
            or (source.condition and source.list_mode)
            or context not in self.values
            or self._reads_target(source.condition, outer)
        )
        found: str | None = None
        if is_closure:
            read = (source.context, source.condition, source.check, source.log, source.default)
            self.seen_by_closures(outer, " ".join(read))
            found = f"{self.bind(items, 'items')}(run, frame)"
        else:
            found = self._items(source, outer, context or 0, site)
        heads = []
        if found is not None:
            self._loops += 1
            if self._loops > _MOST_LOOPS:
                raise NotGenerated
            heads.append(f"for {name} in {found}:")
        else:
            self.line(f"{name} = {self.values[context or 0][0]}")
        self.values[slot] = (name, True)
        depth = self._depth
        for head in heads:
            self.line(head)
            self._depth += 1
        self.line(f"frame[{slot}] = {name}")
        if source.condition and not is_closure:
            self.line(f"if {self._condition(source.condition, scope, site, name)}:")
            self._depth += 1
        before = len(self._lines)
        yield slot
        if len(self._lines) == before and self._depth > depth:
            self.line("pass")
        self._depth = depth
        self._loops -= len(heads)

    def _items(self, source: RuleSource, scope: Scope, context: int, site: Site) -> str | None:
        """The items as a Python expression; None when it is the one item of the context."""
        name, is_item = self.values[context]
        if not source.element:
            one = f"(({name},) if type({name}) is Item else listed({name}))"
            found = None if is_item else one
        elif "." in source.element:
            start = compile_start(source, scope, self.unit, site)
            found = f"{self.bind(start, 'start')}(run, frame)"
        else:
            found = self._children(context, source.element)
        if source.type:
            found = self._of_type(found or f"({name},)", source.type)
        if source.list_mode:
            found = f"{found or f'({name},)'}{_SLICES[source.list_mode]}"
        return found

    def _children(self, context: int, element: str) -> str:
        name, is_item = self.values[context]
        kept = self._kept.get((context, element))
        if kept is not None:
            return kept
        fetch = self.bind(fetcher(element, self.unit.shapes), "fetch")
        found = f"{fetch}({name})"
        if not is_item:
            found = f"({found} if type({name}) is Item else children({name}, {fetch}))"
        if context in self._parameters and self._depth == 1:
            kept = self._kept[context, element] = self.fresh("kept")
            self.line(f"{kept} = {found}")
            return kept
        return found

    def _of_type(self, found: str, type_name: str) -> str:
        unit = self.unit
        shape = unit.shapes.find(unit.type_url(type_name))
        if shape is not None and shape.is_abstract:
            raise NotGenerated
        return f"of_type({found}, {plain_type_name(unit.type_url(type_name))!r})"

    def _condition(self, text: str, scope: Scope, site: Site, name: str) -> str:
        expression = CompiledExpression(text, scope, self.unit, site)
        function = self.bind(expression.is_true, "is_true")
        with suppress(NotSimple):
            function = write_condition(self, expression, function)
        return f"{function}(run, frame, {name})"

    # closures beside the generated text

    def _reads_target(self, text: str, scope: Scope) -> bool:
        return bool(text) and any(
            name not in scope.sources and _mentions(text, name) for name in scope.targets
        )

    def seen_by_closures(self, scope: Scope, text: str | None = None) -> None:
        """Put the targets into the frame, those that `text` mentions or all."""
        for name, slot in scope.targets.items():
            if text is not None and (name in scope.sources or not _mentions(text, name)):
                continue
            node = self.nodes.get(slot)
            if node is not None:
                self.line(f"frame[{slot}] = {node.as_target()}")

    # calls

    def _call(self, call: GroupCall, view: RuleView) -> None:
        group = self.unit.resolve_group(call.name)
        written = self._written_call(call, group, view) if group is not None else None
        if written is None:
            self.seen_by_closures(view.scope)
            self.line(f"{self.bind(compile_call(call, view), 'call')}(run, frame)")
            return
        text, nodes, site = written
        unsure = [node.name for node in nodes if node.may_be_none]
        if unsure:
            self.line(f"if {' and '.join(f'{name} is not None' for name in unsure)}:")
            self._depth += 1
        self.line(f"if run.depth >= {MAX_CALLS}: {self.bind(too_deep, 'deep')}({site})")
        self.line(text)
        if unsure:
            self._depth -= 1

    def _written_call(
        self, call: GroupCall, group: CompiledGroup, view: RuleView
    ) -> tuple[str, list[StaticNode], str] | None:
        expected = group.group.parameters
        if len(expected) != len(call.parameters):
            return None
        arguments: list[str] = []
        nodes: list[StaticNode] = []
        own = RuleView(
            view.scope,
            self.unit,
            Site(view.site.map_url, view.site.rule, call.line),
            view.here,
        )
        for parameter, one in zip(expected, call.parameters, strict=True):
            if parameter.mode == "target":
                slot = view.scope.target_first(str(one.value)) if one.kind == "name" else None
                node = self.nodes.get(slot) if slot is not None else None
                if node is None or node.key:
                    return None
                nodes.append(node)
                arguments.append(node.name)
                if node.shape.is_resource:
                    arguments.append(node.holder or "None")
                continue
            arguments.append(self.value(one, own))
        generated = self._specialise(group, tuple(node.shape for node in nodes))
        callee = self.bind(generated, "group")
        site = self.bind(own.site, "site")
        return f"{callee}.function(run, {', '.join(arguments)})", nodes, site

    def value(self, parameter: Parameter, view: RuleView) -> str:
        """A parameter that is read, as a Python expression: an item, a list or None."""
        if parameter.kind not in {"name", "expression"}:
            literal = compile_argument(parameter, view)
            return self.bind(literal(None, []), "literal")  # type: ignore[arg-type]
        if parameter.kind == "name" and "." not in str(parameter.value):
            slot = view.scope.source_first(str(parameter.value))
            if slot is not None:
                if slot in self.nodes:
                    return self.nodes[slot].as_target()
                found = self.values.get(slot)
                return found[0] if found is not None else f"frame[{slot}]"
        self.seen_by_closures(view.scope, str(parameter.value))
        return f"{self.bind(compile_argument(parameter, view), 'argument')}(run, frame)"


def _closures_for_types(shape: Shape | None) -> None:
    """A source with a declared type is read by its definition, which the closures do."""
    if shape is not None and not shape.is_primitive:
        raise NotGenerated


def _mentions(text: str, name: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) is not None

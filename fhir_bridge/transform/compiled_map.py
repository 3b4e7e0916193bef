"""One map with everything it reaches, as functions, and what a run of it makes.

https://hl7.org/fhir/R4/structuremap.html

Promises: a compiled map is immutable and may be shared by threads; what a run finds out is
in its `Transformed`.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fhir_bridge.errors import BridgeError, Issue
from fhir_bridge.fhir import Resource
from fhir_bridge.fhir.marks import NULL
from fhir_bridge.fml import Group, StructureMap, to_concept_map
from fhir_bridge.shapes import Shape, plain_type_name
from fhir_bridge.terminology import ConceptMaps
from fhir_bridge.transform.compile.environment import source_environment
from fhir_bridge.transform.compile.expression import CompiledExpression
from fhir_bridge.transform.compile.hooks import check_hooks, find_group
from fhir_bridge.transform.compile.rule import compile_rules, inherit_identity, run_group
from fhir_bridge.transform.compile.scope import Scope, Slots
from fhir_bridge.transform.compile.unit import CompilationUnit, CompiledGroup
from fhir_bridge.transform.generate import GENERATE_AT, GeneratedMap
from fhir_bridge.transform.runtime.run import LineageStep, RuleLocation, Run
from fhir_bridge.transform.runtime.source import Item
from fhir_bridge.transform.runtime.target import Target

if TYPE_CHECKING:
    from fhir_bridge.fhirpath import Environment
    from fhir_bridge.transform.map_set import MapSet

__all__ = ["CompiledMap", "Transformed"]

_MAX_TYPES = 10_000


@dataclass(slots=True)
class Transformed:
    """What a run made: the target, findings, and lineage when it was asked for.

    `codings` are the objects of the target that hold both a code and a system, and the
    companions of primitives, which may hold some.
    """

    target: Resource
    issues: list[Issue] = field(default_factory=list)
    lineage: list[LineageStep] = field(default_factory=list)
    codings: list[dict[str, Any]] = field(default_factory=list)


class CompiledMap:
    """A map with everything it reaches, as functions."""

    def __init__(
        self, maps: MapSet, structure_map: StructureMap, hooks: Sequence[str] = ()
    ) -> None:
        self.structure_map = structure_map
        self.url = structure_map.url
        self._maps = maps
        self._groups: dict[tuple[int, str], CompiledGroup] = {}
        self._by_types: dict[tuple[str, str], CompiledGroup | None] = {}
        self._lock = threading.Lock()
        self._generated: GeneratedMap | None = None
        self._runs = 0
        self._group_units: dict[CompiledGroup, CompilationUnit] = {}
        self._constants: dict[str, Callable[[Run], Any]] = {"null": lambda _run: NULL}
        self.external_names: set[str] = set()
        reached = maps.imported(structure_map, hooks)
        check_hooks(reached)
        self._units = [(one, self._unit(one, reached)) for one in reached]
        self._typed = self._typed_groups()
        self._pending: list[tuple[CompiledGroup, StructureMap, CompilationUnit]] = []
        self.entry = structure_map.groups[0]
        self._entry = self._group(structure_map, self._units[0][1], self.entry)
        self._location = RuleLocation(
            self.url or structure_map.name, self.entry.name, self.entry.line
        )
        self._complete()

    def run(
        self,
        source: Any,
        target: Resource | None = None,
        *,
        variables: Mapping[str, Any] | None = None,
        lineage: bool = False,
        environment: Environment | None = None,
    ) -> Transformed:
        """Transform `source` (a node) into a new target, or into `target` as it stands.

        Raises BridgeError when the map refuses the input (FB-2110 to FB-2117).
        """
        if environment is None:
            environment = source_environment(source, self._maps.shapes.definitions)
        run = Run(variables, lineage=lineage, environment=environment)
        run.constants = self._constants
        if target is None and not lineage and type(source) is not dict:
            generated = self._generated_function()
            if generated is not None:
                return self._run_generated(run, source, generated)
        parameters = self.entry.parameters
        arguments: list[Any] = []
        made: Target | None = None
        unit = self._units[0][1]
        for parameter in parameters:
            shape = unit.shape(parameter.type)
            if parameter.mode == "source":
                arguments.append(Item(source, self._root_shape(source, shape), name=_root(source)))
                continue
            if shape is not None and shape.is_resource and shape.is_abstract and target is None:
                shape = self._maps.shapes.find(self._resource_for(_root(source))) or shape
            fresh = self._target(shape, target if made is None else None)
            arguments.append(fresh)
            made = made or fresh
        with _without_collector():
            try:
                run_group(run, self._entry, arguments, self._location)
            except RecursionError:
                raise self._too_deep() from None
            target_tree: Resource = {}
            if made is not None:
                target_tree = self._maps.normaliser.normalise(run, made, self._location)
        return Transformed(target_tree, run.issues, run.lineage or [], run.codings)

    def expect_many(self) -> None:
        """From the next run on the map is written out: it will run often."""
        self._runs = max(self._runs, GENERATE_AT - 1)

    def _generated_function(self) -> Callable[..., None] | None:
        """The generated function of the entry group, once the map has run a few times."""
        generated = self._generated
        if generated is None:
            self._runs += 1
            if self._runs < GENERATE_AT:
                return None
            with self._lock:
                units = [unit for _, unit in self._units]
                generated = GeneratedMap(self._entry, self._unit_of_group, units)
                self._generated = generated
        return generated.function

    def explain(self) -> str:
        """The Python that is written for the map, group by group, each with its expressions.

        A group that is left to the interpreter says why.
        """
        units = [unit for _, unit in self._units]
        made = GeneratedMap(self._entry, self._unit_of_group, units)
        if made.function is None:
            return "interpreted: the map as a whole (lists that keep their last item, or its types)"
        return "\n".join(made.texts())

    def _run_generated(self, run: Run, source: Any, function: Callable[..., None]) -> Transformed:
        made = self._target(self._units[0][1].shape(self.entry.parameters[1].type), None)
        arguments = (
            [Item(source), made.node, None] if made.shape.is_resource else [Item(source), made.node]
        )
        with _without_collector():
            try:
                function(run, *arguments)
            except RecursionError:
                raise self._too_deep() from None
            target_tree = self._maps.normaliser.normalise(run, made, self._location)
        return Transformed(target_tree, run.issues, codings=run.codings)

    def _too_deep(self) -> BridgeError:
        reason = "the input is nested too deeply"
        return self._location.failure("FB-2115", name=self.entry.name, reason=reason)

    def _root_shape(self, source: Any, declared: Shape | None) -> Shape | None:
        own = source.get("resourceType") if type(source) is dict else None
        if type(own) is str and (declared is None or declared.is_abstract):
            return self._maps.shapes.find(own) or declared
        return declared

    def _target(self, shape: Shape | None, given: Resource | None) -> Target:
        if shape is None:
            own = str(given["resourceType"]) if given and "resourceType" in given else "?"
            shape = self._maps.shapes.resolve(own)
        if given is not None:
            return Target(shape, given)
        named = shape.is_resource or shape.kind == "logical"
        return Target(shape, {"resourceType": shape.own_name or shape.name} if named else {})

    def _unit(self, structure_map: StructureMap, reached: list[StructureMap]) -> CompilationUnit:
        concept_maps = self._maps.concept_maps
        if structure_map.concept_maps:
            own = ConceptMaps()
            for block in structure_map.concept_maps:
                own.add(to_concept_map(block), url=block.id.removeprefix("#"))
            concept_maps = concept_maps.merged(own)
        aliases: dict[str, str] = {}
        for use in structure_map.uses:
            aliases.setdefault(use.alias or use.url.rsplit("/", 1)[-1], use.url)
        order = [structure_map, *(one for one in reached if one is not structure_map)]
        unit = CompilationUnit(
            structure_map,
            self._maps.shapes,
            concept_maps,
            aliases,
            resolve_group=lambda name: self._find_group(name, order),
            group_for_types=self._group_for_types,
            resource_for=self._resource_for,
            external_names=self.external_names,
            is_strict=self._maps.is_strict,
        )
        for constant in structure_map.constants:
            location = RuleLocation(structure_map.url, constant.name, 0)
            expression = CompiledExpression(constant.expression, Scope(Slots()), unit, location)
            self._constants.setdefault(constant.name, _constant_value(expression))
        return unit

    def _unit_of(self, structure_map: StructureMap) -> CompilationUnit:
        return next(unit for one, unit in self._units if one is structure_map)

    def _find_group(self, name: str, order: list[StructureMap]) -> CompiledGroup | None:
        found = find_group(name, order)
        if found is None:
            return None
        structure_map, group = found
        return self._group(structure_map, self._unit_of(structure_map), group)

    def _unit_of_group(self, group: CompiledGroup) -> CompilationUnit:
        return self._group_units[group]

    def _group(
        self, structure_map: StructureMap, unit: CompilationUnit, group: Group
    ) -> CompiledGroup:
        key = (id(structure_map), group.name)
        found = self._groups.get(key)
        if found is None:
            found = self._groups[key] = CompiledGroup(group, structure_map.url)
            self._group_units[found] = unit
            self._pending.append((found, structure_map, unit))
        return found

    def complete(self) -> None:
        """Compile the groups of the map that nothing calls by name, too.

        Raises BridgeError FB-21xx, FB-20xx for the first fault.
        """
        unit = self._unit_of(self.structure_map)
        with self._lock:
            for group in self.structure_map.groups:
                self._group(self.structure_map, unit, group)
            self._complete()

    def _complete(self) -> None:
        """Compile every group that is reached; new ones may turn up on the way."""
        while self._pending:
            compiled, _, unit = self._pending.pop()
            slots = Slots()
            group = compiled.group
            scope = Scope(slots, parameters=frozenset(one.name for one in group.parameters))
            for parameter in group.parameters:
                is_source = parameter.mode == "source"
                (scope.declare_source if is_source else scope.declare_target)(parameter.name)
                declared = unit.shape(parameter.type) if is_source else None
                compiled.source_types.append(declared)
            rules = []
            if group.extends:
                rules += self._inherited(group, unit)
            rules += compile_rules(group.rules, scope, unit)
            compiled.size += sum(rule.size for rule in group.rules)
            compiled.rules = rules
            compiled.frame_size = slots.count

    def _inherited(
        self, group: Group, unit: CompilationUnit
    ) -> list[Callable[[Run, list[Any]], None]]:
        """The rules of the group that is extended, on the same parameters, by position."""
        location = RuleLocation(unit.structure_map.url, group.name, group.line)
        base = unit.resolve_group(group.extends)
        if base is None:
            return [inherit_identity(group, unit, location)]
        count = len(base.group.parameters)

        def run_base(run: Run, frame: list[Any]) -> None:
            run_group(run, base, frame[: min(count, len(group.parameters))], location)

        return [run_base] if base.group is not group else []

    def _typed_groups(self) -> dict[tuple[str, str], tuple[StructureMap, CompilationUnit, Group]]:
        typed: dict[tuple[str, str], tuple[StructureMap, CompilationUnit, Group]] = {}
        for structure_map, unit in self._units:
            for group in structure_map.groups:
                if group.type_mode and len(group.parameters) >= 2:
                    first, second = group.parameters[0].type, group.parameters[1].type
                    key = (
                        plain_type_name(unit.type_url(first)),
                        plain_type_name(unit.type_url(second)),
                    )
                    typed.setdefault(key, (structure_map, unit, group))
        return typed

    def _resource_for(self, source: str) -> str:
        """The resource type that a type of another release becomes by the groups in reach."""
        named = [target for name, target in self._typed if name == source]
        return source if not named or source in named else named[0]

    def _group_for_types(self, source: str, target: str) -> CompiledGroup | None:
        try:
            return self._by_types[source, target]
        except KeyError:
            pass
        found = self._typed.get((plain_type_name(source), plain_type_name(target)))
        with self._lock:  # a run of another thread may ask at the same time
            group = self._group(*found) if found else None
            self._complete()
            if found or len(self._by_types) < _MAX_TYPES:  # names come from inputs, too
                self._by_types[source, target] = group
        return group


class _without_collector:  # noqa: N801 - used as a statement
    """Keeps the cycle collector still while a run builds its tree.

    A run makes no cycles, but its growing tree would be walked again and again: a Bundle
    of 10,000 would cost 40 % more an entry than one of 10.  Who stopped it starts it.
    """

    __slots__ = ("_stopped",)

    def __enter__(self) -> None:
        self._stopped = gc.isenabled()
        if self._stopped:
            gc.disable()

    def __exit__(self, *_: object) -> None:
        if self._stopped:
            gc.enable()


def _constant_value(expression: CompiledExpression) -> Callable[[Run], Any]:
    def value(run: Run) -> Any:
        found = expression.values(run, [], None)
        return found[0] if len(found) == 1 else (found or None)

    return value


def _root(source: Any) -> str:
    own = source.get("resourceType") if type(source) is dict else None
    return own if isinstance(own, str) else ""

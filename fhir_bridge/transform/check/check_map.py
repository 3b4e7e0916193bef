"""What a map gets wrong, found without input.

https://hl7.org/fhir/R5/mapping-language.html

Groups are followed from the entry group, and from groups that are chosen by types, with
the types that their parameters have there.  Where a type is not known (HL7 v2, tables),
nothing is said about its elements.

Promises: pure; every issue names map and line; a map without issues compiles.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fhir_bridge.errors import BridgeError, Issue
from fhir_bridge.fml import Group, GroupCall, Rule, StructureMap
from fhir_bridge.shapes import Shape
from fhir_bridge.transform.check.assigned import can_be
from fhir_bridge.transform.check.rules import Names, RuleChecks
from fhir_bridge.transform.compile.hooks import find_group, hook_faults
from fhir_bridge.transform.library import Library

__all__ = ["check_map"]

_MAX_VISITS = 20_000


def check_map(library: Library, map_url: str, hooks: Sequence[str] = ()) -> list[Issue]:
    """Unknown types, elements and groups, groups never called, rules that never fire.

    `hooks` are the maps of a feed that define hooks, which are followed from the map.
    Raises BridgeError FB-2104 when the library has no such map.
    """
    issues: list[Issue] = []
    try:
        library.compile(map_url, hooks).complete()
    except BridgeError as error:
        if error.code == "FB-2104":
            raise
        issues += error.issues
    structure_map = library.maps[map_url]
    checker = _Checker(library, structure_map, hooks)
    issues += checker.run()
    return _once(issues)


class _Checker:
    def __init__(self, library: Library, structure_map: StructureMap, hooks: Sequence[str]) -> None:
        self._library = library
        self._map = structure_map
        self._shapes = library.shapes
        self._rules = RuleChecks(library, structure_map)
        self._reach = library.imported(structure_map, hooks)
        self._visited: set[tuple[int, tuple[Shape | None, ...]]] = set()
        self._called: set[str] = set()
        self._waiting: list[tuple[StructureMap, Group, tuple[Shape | None, ...]]] = []

    def run(self) -> list[Issue]:
        """All findings of the map itself; imported maps are followed, not judged."""
        self._check_types()
        self._check_hooks()
        entry = self._map.groups[0]
        self._visit(self._map, entry, ())
        for structure_map in self._reach:
            for group in structure_map.groups:
                if group.type_mode:
                    self._visit(structure_map, group, ())
        self._follow()
        called_elsewhere = self._called_elsewhere()
        for group in self._map.groups[1:]:
            if group.name in called_elsewhere and group.name not in self._called:
                self._called.add(group.name)
                self._visit(self._map, group, ())
                self._follow()
        for group in self._map.groups[1:]:
            if group.name not in self._called and not group.type_mode:
                self._rules.report("FB-2122", group.line, "warning", name=group.name)
        return self._rules.issues

    def _follow(self) -> None:
        while self._waiting and len(self._visited) < _MAX_VISITS:
            self._group(*self._waiting.pop())

    def _called_elsewhere(self) -> frozenset[str]:
        """The names of groups that other maps of the library call."""
        others = (one for one in self._library.maps.values() if one is not self._map)
        return frozenset[str]().union(*(_names_called(one) for one in others))

    def _check_types(self) -> None:
        for use in self._map.uses:
            is_fhir = use.url.startswith("http://hl7.org/fhir/StructureDefinition/")
            if is_fhir and self._shapes.find(use.url) is None:
                self._rules.report("FB-2120", 0, "error", name=use.url)

    def _check_hooks(self) -> None:
        """The hooks that the map defines take what they are given."""
        declared = [one for one in self._library.maps.values() if one.is_hooks]
        hooks = {group.name: (one, group) for one in declared for group in one.groups}
        if self._map.is_hooks:
            return
        for issue in hook_faults([*declared, self._map]):
            self._rules.add(issue)
        for group in self._map.groups:
            if group.name in hooks:
                home, hook = hooks[group.name]
                types = [self._rules.shape(home, one.type) for one in hook.parameters]
                self._called.add(group.name)
                self._visit(self._map, group, self._taken((self._map, group), types, group.line))

    def _visit(
        self, structure_map: StructureMap, group: Group, given: tuple[Shape | None, ...]
    ) -> None:
        types = tuple(
            (given[index] if index < len(given) else None)
            or self._rules.shape(structure_map, parameter.type)
            for index, parameter in enumerate(group.parameters)
        )
        key = (id(group), types)
        if key not in self._visited:
            self._visited.add(key)
            self._waiting.append((structure_map, group, types))

    def _group(
        self, structure_map: StructureMap, group: Group, types: tuple[Shape | None, ...]
    ) -> None:
        names = Names()
        for parameter, shape in zip(group.parameters, types, strict=True):
            holder = names.sources if parameter.mode == "source" else names.targets
            holder[parameter.name] = shape
        if group.extends:
            self._visit_called(structure_map, group.extends, types)
        for rule in group.rules:
            self._rule(structure_map, rule, names)

    def _rule(self, structure_map: StructureMap, rule: Rule, outer: Names) -> None:
        names = outer.inner()
        for source in rule.sources:
            shape = self._rules.source(structure_map, rule, source, names)
            if source.variable:
                names.sources[source.variable] = shape
        for target in rule.targets:
            shape = self._rules.target(structure_map, rule, target, names)
            if target.variable:
                names.targets[target.variable] = shape
        for nested in rule.rules:
            self._rule(structure_map, nested, names)
        for call in rule.calls:
            self._call(structure_map, call, names)

    def _call(self, structure_map: StructureMap, call: GroupCall, names: Names) -> None:
        found = self._find(structure_map, call.name)
        if found is None:
            return
        types: list[Shape | None] = []
        for parameter, given in zip(found[1].parameters, call.parameters, strict=False):
            holder = names.sources if parameter.mode == "source" else names.targets
            types.append(holder.get(str(given.value)) if given.kind == "name" else None)
        taken = self._taken(found, types, call.line, structure_map)
        self._visit_called(structure_map, call.name, taken)

    def _taken(
        self,
        called: tuple[StructureMap, Group],
        types: Sequence[Shape | None],
        line: int,
        caller: StructureMap | None = None,
    ) -> tuple[Shape | None, ...]:
        """What a group is given, without the targets that it cannot take, which are told."""
        home, group = called
        taken: list[Shape | None] = []
        for parameter, given in zip(group.parameters, types, strict=False):
            wanted = self._rules.shape(home, parameter.type) if parameter.mode == "target" else None
            fits = given is None or wanted is None or can_be(given, wanted, self._shapes)
            if given is not None and wanted is not None and not fits:
                details = {"name": group.name, "expected": wanted.name, "type": given.name}
                self._rules.fault(caller or home, "FB-2129", line, **details)
            taken.append(given if fits else None)
        return tuple(taken)

    def _visit_called(
        self, structure_map: StructureMap, name: str, types: tuple[Shape | None, ...]
    ) -> None:
        found = self._find(structure_map, name)
        if found is not None:
            self._called.add(name)
            self._visit(found[0], found[1], types)

    def _find(self, structure_map: StructureMap, name: str) -> tuple[StructureMap, Group] | None:
        return find_group(name, (structure_map, *self._reach))


def _names_called(structure_map: StructureMap) -> frozenset[str]:
    def of_rules(rules: tuple[Rule, ...]) -> Iterator[str]:
        for rule in rules:
            yield from (call.name for call in rule.calls)
            yield from of_rules(rule.rules)

    found: set[str] = set()
    for group in structure_map.groups:
        found.add(group.extends)
        found.update(of_rules(group.rules))
    return frozenset(found)


def _once(issues: list[Issue]) -> list[Issue]:
    """Without repetitions: a group is followed once for each set of types."""
    seen: dict[tuple[str, str, str], Issue] = {}
    for issue in issues:
        seen.setdefault((issue.code, issue.where, issue.sentence), issue)
    return list(seen.values())

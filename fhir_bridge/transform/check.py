"""What a map gets wrong, found without input.

https://hl7.org/fhir/R5/mapping-language.html

Groups are followed from the entry group, and from groups that are chosen by types, with
the types that their parameters have there.  Where a type is not known (HL7 v2, tables),
nothing is said about its elements.

Promises: pure; every issue names map and line; a map without issues compiles.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from fhir_bridge.errors import BridgeError, Issue, Severity
from fhir_bridge.transform.compile_translate import OID_TO_URI
from fhir_bridge.transform.library import Library
from fhir_bridge.transform.shapes import Shape, Shapes, plain_type_name
from fhir_bridge.transform.structure_map import (
    Group,
    GroupCall,
    Rule,
    RuleSource,
    RuleTarget,
    StructureMap,
)

__all__ = ["check_map"]

_MOST_VISITS = 20_000
_NEVER = frozenset({"false", "{}"})


def check_map(library: Library, map_url: str) -> list[Issue]:
    """Unknown types, elements and groups, groups never called, rules that never fire.

    Raises BridgeError FB-2104 when the library has no such map.
    """
    issues: list[Issue] = []
    try:
        library.compile(map_url).complete()
    except BridgeError as error:
        if error.code == "FB-2104":
            raise
        issues += error.issues
    structure_map = library.maps[map_url]
    checker = _Checker(library, structure_map)
    issues += checker.run()
    return _once(issues)


@dataclass(slots=True)
class _Names:
    """The types of the variables in scope; None when not known."""

    sources: dict[str, Shape | None] = field(default_factory=dict)
    targets: dict[str, Shape | None] = field(default_factory=dict)

    def inner(self) -> _Names:
        return _Names(dict(self.sources), dict(self.targets))


class _Checker:
    def __init__(self, library: Library, structure_map: StructureMap) -> None:
        self._library = library
        self._map = structure_map
        self._shapes: Shapes = library.shapes
        self._reach = library.imported(structure_map)
        self._visited: set[tuple[int, tuple[Shape | None, ...]]] = set()
        self._called: set[str] = set()
        self._waiting: list[tuple[StructureMap, Group, tuple[Shape | None, ...]]] = []
        self._issues: list[Issue] = []

    def run(self) -> list[Issue]:
        """All findings of the map itself; imported maps are followed, not judged."""
        self._check_types()
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
                self._report("FB-2122", group.line, "warning", name=group.name)
        return self._issues

    def _follow(self) -> None:
        while self._waiting and len(self._visited) < _MOST_VISITS:
            self._group(*self._waiting.pop())

    def _called_elsewhere(self) -> frozenset[str]:
        """The names of groups that other maps of the library call."""
        others = (one for one in self._library.maps.values() if one is not self._map)
        return frozenset[str]().union(*(_names_called(one) for one in others))

    def _check_types(self) -> None:
        for use in self._map.uses:
            is_fhir = use.url.startswith("http://hl7.org/fhir/StructureDefinition/")
            if is_fhir and self._shapes.find(use.url) is None:
                self._report("FB-2120", 0, "error", name=use.url)

    def _report(self, code: str, line: int, severity: Severity, **details: str) -> None:
        where = f"map {self._map.url or self._map.name}, line {line}"
        self._issues.append(Issue(code, severity, where, details))

    def _shape(self, structure_map: StructureMap, name: str) -> Shape | None:
        if not name:
            return None
        for use in structure_map.uses:
            if name in (use.alias, use.url.rsplit("/", 1)[-1]):
                return self._shapes.find(use.url)
        return self._shapes.find(name)

    def _visit(
        self, structure_map: StructureMap, group: Group, given: tuple[Shape | None, ...]
    ) -> None:
        types = tuple(
            (given[index] if index < len(given) else None)
            or self._shape(structure_map, parameter.type)
            for index, parameter in enumerate(group.parameters)
        )
        key = (id(group), types)
        if key not in self._visited:
            self._visited.add(key)
            self._waiting.append((structure_map, group, types))

    def _group(
        self, structure_map: StructureMap, group: Group, types: tuple[Shape | None, ...]
    ) -> None:
        names = _Names()
        for parameter, shape in zip(group.parameters, types, strict=True):
            holder = names.sources if parameter.mode == "source" else names.targets
            holder[parameter.name] = shape
        if group.extends:
            self._call_named(structure_map, group.extends, types)
        for rule in group.rules:
            self._rule(structure_map, rule, names)

    def _rule(self, structure_map: StructureMap, rule: Rule, outer: _Names) -> None:
        names = outer.inner()
        for source in rule.sources:
            shape = self._source(structure_map, rule, source, names)
            if source.variable:
                names.sources[source.variable] = shape
        for target in rule.targets:
            shape = self._target(structure_map, rule, target, names)
            if target.variable:
                names.targets[target.variable] = shape
        for nested in rule.rules:
            self._rule(structure_map, nested, names)
        for call in rule.calls:
            self._call(structure_map, call, names)

    def _source(
        self, structure_map: StructureMap, rule: Rule, source: RuleSource, names: _Names
    ) -> Shape | None:
        shape = names.sources.get(source.context) or names.targets.get(source.context)
        judged = structure_map is self._map
        if source.condition in _NEVER and judged:
            self._never(rule, "its condition is always false")
        for name in source.element.split(".") if source.element else ():
            if shape is None or shape.is_open or (shape.is_primitive and name == "value"):
                return self._shape(structure_map, source.type)
            element = shape.elements.get(name)
            if element is None:
                if judged and not shape.is_abstract and not _is_foreign(structure_map):
                    details = {"name": name, "type": shape.name}
                    self._report("FB-2121", source.line, "warning", **details)
                return self._shape(structure_map, source.type)
            if source.type and element.is_choice and judged and not _is_foreign(structure_map):
                wanted = plain_type_name(source.type)
                given = {plain_type_name(one) for one in element.keys}
                shape_of_type = self._shape(structure_map, source.type)
                named = {wanted, shape_of_type.name if shape_of_type else wanted}
                if not named & given and not _is_open(given):
                    self._never(rule, f"{name} is never of the type {source.type}")
            shape = None if element.is_choice else self._shapes.find(element.type)
        return self._shape(structure_map, source.type) or shape

    def _never(self, rule: Rule, reason: str) -> None:
        name = rule.name or rule.sources[0].element or rule.sources[0].context
        self._report("FB-2123", rule.line, "warning", rule=f'"{name}"', reason=reason)

    def _target(
        self, structure_map: StructureMap, rule: Rule, target: RuleTarget, names: _Names
    ) -> Shape | None:
        created = self._created(structure_map, target)
        self._check_concept_map(structure_map, target)
        if not target.context:
            return created
        shape = names.targets.get(target.context)
        for name in target.element.split(".") if target.element else ():
            if shape is None or shape.is_open or (shape.is_primitive and name == "value"):
                return created or (shape if shape is not None and shape.is_primitive else None)
            if shape.is_primitive:
                shape = self._shapes.find("Element")
            element = shape.elements.get(name) if shape is not None else None
            if element is None:
                if structure_map is self._map and shape is not None and not shape.is_abstract:
                    details = {"name": name, "type": shape.name}
                    self._report("FB-2109", target.line or rule.line, "error", **details)
                return created
            shape = None if element.is_choice else self._shapes.find(element.type)
        if created is not None and shape is not None and not shape.is_abstract:
            return created if self._shapes.is_a(created, shape.name) else shape
        return created or shape

    def _created(self, structure_map: StructureMap, target: RuleTarget) -> Shape | None:
        transform = target.transform
        if transform is None or transform.name != "create" or not transform.parameters:
            return None
        name = str(transform.parameters[0].value)
        if transform.parameters[0].kind != "string":
            return None
        found = self._shape(structure_map, name)
        if found is None and structure_map is self._map:
            self._report("FB-2120", target.line, "error", name=name)
        return found

    def _check_concept_map(self, structure_map: StructureMap, target: RuleTarget) -> None:
        transform = target.transform
        if structure_map is not self._map or transform is None or transform.name != "translate":
            return
        named = transform.parameters[1] if len(transform.parameters) > 1 else None
        if named is None or named.kind != "string":
            return
        url = str(named.value).removeprefix("#")
        own = {block.id for block in structure_map.concept_maps}
        known = url == OID_TO_URI or url in own or url in self._library.concept_maps
        if not known and url.partition("|")[0] not in self._library.concept_maps:
            self._report("FB-2202", target.line, "error", url=url)

    def _call(self, structure_map: StructureMap, call: GroupCall, names: _Names) -> None:
        found = self._find(structure_map, call.name)
        if found is None:
            return
        types: list[Shape | None] = []
        for parameter, given in zip(found[1].parameters, call.parameters, strict=False):
            holder = names.sources if parameter.mode == "source" else names.targets
            name = str(given.value)
            types.append(holder.get(name) if given.kind == "name" else None)
        self._call_named(structure_map, call.name, tuple(types))

    def _call_named(
        self, structure_map: StructureMap, name: str, types: tuple[Shape | None, ...]
    ) -> None:
        found = self._find(structure_map, name)
        if found is not None:
            self._called.add(name)
            self._visit(found[0], found[1], types)

    def _find(self, structure_map: StructureMap, name: str) -> tuple[StructureMap, Group] | None:
        for one in (structure_map, *self._reach):
            for group in one.groups:
                if group.name == name:
                    return one, group
        return None


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


def _is_foreign(structure_map: StructureMap) -> bool:
    """Whether the source is of another FHIR release, whose elements are not known here."""
    return any(
        "/fhir/" in use.url
        and "/fhir/StructureDefinition/" not in use.url
        and "/4.0/" not in use.url
        for use in structure_map.uses
        if use.mode == "source"
    )


def _is_open(types: set[str]) -> bool:
    return bool(types & {"Resource", "Element", "ANY", "?"})


def _once(issues: list[Issue]) -> list[Issue]:
    """Without repetitions: a group is followed once for each set of types."""
    seen: dict[tuple[str, str, str], Issue] = {}
    for issue in issues:
        seen.setdefault((issue.code, issue.where, issue.sentence), issue)
    return list(seen.values())

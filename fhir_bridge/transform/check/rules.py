"""What the rules of a map read and write, judged by the types that are known without input.

https://hl7.org/fhir/R5/mapping-language.html#rules
"""

from __future__ import annotations

from dataclasses import dataclass, field

from fhir_bridge.errors import Issue, Severity
from fhir_bridge.fml import Rule, RuleSource, RuleTarget, StructureMap
from fhir_bridge.shapes import ElementShape, Shape, plain_type_name
from fhir_bridge.transform.check.assigned import (
    Assigned,
    find_fault,
    type_given,
    type_of_variable,
)
from fhir_bridge.transform.compile.translate import OID_TO_URI
from fhir_bridge.transform.library import Library

__all__ = ["Names", "RuleChecks"]

_NEVER = frozenset({"false", "{}"})


@dataclass(slots=True)
class Names:
    """The types of the variables in scope; None when not known."""

    sources: dict[str, Shape | None] = field(default_factory=dict)
    targets: dict[str, Shape | None] = field(default_factory=dict)

    def inner(self) -> Names:
        """The names within a rule, which do not leave it."""
        return Names(dict(self.sources), dict(self.targets))


class RuleChecks:
    """The findings of the sources and targets of rules, and the types that they make known.

    `judged` is the map whose own faults are told; a fault that fails every input is told of
    the maps that it calls, too.
    """

    def __init__(self, library: Library, judged: StructureMap) -> None:
        self._library = library
        self._map = judged
        self._shapes = library.shapes
        self._issues: list[Issue] = []
        self._typed: set[tuple[str, str]] = set()
        self._untyped: list[tuple[tuple[str, str], Issue]] = []

    @property
    def issues(self) -> list[Issue]:
        """What was found so far."""
        untyped = [issue for place, issue in self._untyped if place not in self._typed]
        return self._issues + untyped

    def report(self, code: str, line: int, severity: Severity, **details: str) -> None:
        """A finding of the map itself."""
        where = f"map {self._map.url or self._map.name}, line {line}"
        self._issues.append(Issue(code, severity, where, details))

    def add(self, issue: Issue) -> None:
        """A finding that is told as it is."""
        self._issues.append(issue)

    def fault(self, structure_map: StructureMap, code: str, line: int, **details: str) -> None:
        """A finding that fails every input that gets there, also in a map that is called."""
        self._issues.append(_fault(structure_map, code, line, details))

    def shape(self, structure_map: StructureMap, name: str) -> Shape | None:
        """The type that a map names, by its alias, URL or name."""
        if not name:
            return None
        for use in structure_map.uses:
            if name in (use.alias, use.url.rsplit("/", 1)[-1]):
                return self._shapes.find(use.url)
        return self._shapes.find(name)

    def source(
        self, structure_map: StructureMap, rule: Rule, source: RuleSource, names: Names
    ) -> Shape | None:
        """The type of what a source reads, None when not known."""
        shape = names.sources.get(source.context) or names.targets.get(source.context)
        judged = structure_map is self._map
        if source.condition in _NEVER and judged:
            self._never(rule, "its condition is always false")
        for name in source.element.split(".") if source.element else ():
            if shape is None or shape.is_open or (shape.is_primitive and name == "value"):
                return self.shape(structure_map, source.type)
            element = shape.elements.get(name)
            if element is None:
                if judged and not shape.is_abstract and not _is_foreign(structure_map):
                    details = {"name": name, "type": shape.name}
                    self.report("FB-2121", source.line, "warning", **details)
                return self.shape(structure_map, source.type)
            if source.type and element.is_choice and judged and not _is_foreign(structure_map):
                wanted = plain_type_name(source.type)
                given = {plain_type_name(one) for one in element.keys}
                shape_of_type = self.shape(structure_map, source.type)
                named = {wanted, shape_of_type.name if shape_of_type else wanted}
                if not named & given and not _is_open(given):
                    self._never(rule, f"{name} is never of the type {source.type}")
            shape = None if element.is_choice else self._shapes.find(element.type)
        return self.shape(structure_map, source.type) or shape

    def _never(self, rule: Rule, reason: str) -> None:
        name = _name_of(rule)
        self.report("FB-2123", rule.line, "warning", rule=f'"{name}"', reason=reason)

    def target(
        self, structure_map: StructureMap, rule: Rule, target: RuleTarget, names: Names
    ) -> Shape | None:
        """The type of what a target makes, None when not known."""
        given = self._given(structure_map, target, names)
        self._check_concept_map(structure_map, target)
        if not target.context:
            return given
        shape = names.targets.get(target.context)
        path = target.element.split(".") if target.element else []
        element: ElementShape | None = None
        holder: Shape | None = None
        for name in path:
            if shape is None or shape.is_open or (shape.is_primitive and name == "value"):
                return given or (shape if shape is not None and shape.is_primitive else None)
            if shape.is_primitive:
                shape = self._shapes.find("Element")
            element = shape.elements.get(name) if shape is not None else None
            if element is None:
                if shape is not None and not shape.is_abstract:
                    details = {"name": name, "type": shape.name}
                    line = target.line or rule.line
                    self.fault(structure_map, "FB-2109", line, **details)
                return given
            holder = shape
            shape = None if element.is_choice else self._shapes.find(element.type)
        if element is not None and holder is not None and not rule.is_simple:
            assigned = Assigned(holder, element, path[-1], target.transform, given)
            self._check_assigned(structure_map, rule, target, assigned)
        if given is not None and shape is not None and not shape.is_abstract:
            return given if self._shapes.is_a(given, shape.name) else shape
        return given or shape

    def _check_assigned(
        self, structure_map: StructureMap, rule: Rule, target: RuleTarget, assigned: Assigned
    ) -> None:
        place = (assigned.holder.name, assigned.element.name)
        if target.transform is not None:
            self._typed.add(place)
        found = find_fault(assigned, self._shapes)
        if found is None:
            return
        code, details = found
        if code == "FB-2112":
            details["rule"] = f'"{_name_of(rule)}"'
        issue = _fault(structure_map, code, target.line or rule.line, details)
        if target.transform is None and assigned.element.is_choice:
            self._untyped.append((place, issue))
        else:
            self._issues.append(issue)

    def _given(self, structure_map: StructureMap, target: RuleTarget, names: Names) -> Shape | None:
        """The type of what is assigned: created, computed, or that of a variable."""
        transform = target.transform
        if transform is None:
            return None
        if transform.name == "create":
            return self._created(structure_map, target)
        found = type_given(transform, self._shapes)
        if found is not None or transform.name != "copy" or _is_foreign(structure_map):
            return found
        variables = names.targets | names.sources
        return type_of_variable(transform.parameters[0], variables, self._shapes)

    def _created(self, structure_map: StructureMap, target: RuleTarget) -> Shape | None:
        transform = target.transform
        if transform is None or transform.name != "create" or not transform.parameters:
            return None
        name = str(transform.parameters[0].value)
        if transform.parameters[0].kind != "string":
            return None
        found = self.shape(structure_map, name)
        if found is None and structure_map is self._map:
            self.report("FB-2120", target.line, "error", name=name)
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
            self.report("FB-2202", target.line, "error", url=url)


def _name_of(rule: Rule) -> str:
    return rule.name or rule.sources[0].element or rule.sources[0].context


def _fault(structure_map: StructureMap, code: str, line: int, details: dict[str, str]) -> Issue:
    where = f"map {structure_map.url or structure_map.name}, line {line}"
    return Issue(code, "error", where, details)


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

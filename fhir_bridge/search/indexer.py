"""Index extraction, compiled once per type: a resource in, index rows out.

Each parameter's expression is FHIRPath: a union of plain paths is walked directly (`paths`),
any other is compiled by `fhir_bridge.fhirpath`.  A parameter is evaluated only when the
resource has the element that the expression starts from.
https://hl7.org/fhir/R4/searchparameter-definitions.html#SearchParameter.expression
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import unescape
from typing import TYPE_CHECKING, Any

from fhir_bridge import fhirpath
from fhir_bridge.fhir import Definitions, Resource, SearchParameter
from fhir_bridge.search import composite, date, position, quantity, reference, text, token, uri
from fhir_bridge.search.paths import Path, are_forms_of_one, plain_paths, walk
from fhir_bridge.search.repeated import Extract, Repeated, comes_again
from fhir_bridge.search.rows import NO_DATE, IndexRows

if TYPE_CHECKING:
    from fhir_bridge.search.registry import Registry

__all__ = ["Indexer", "type_of"]

_ROOT = re.compile(r"\(*\s*(?:[A-Z]\w+)\.(\w+)")
_NEEDS_ABSENCE = re.compile(r"exists\(|empty\(|\bnot\(|\band\b|\bor\b|%resource")
_LOOKS_AWAY = re.compile(r"%|resolve\(")
_NARRATIVE = re.compile(r"<[^>]*>")

Typed = tuple[str, Any]
Add = Callable[[list[Typed], IndexRows], None]


@dataclass(frozen=True, slots=True)
class _Steps:
    """The work for one type.

    `by_key`: what the value of a top-level key adds on its own; `joint`: parameters that
    need all their values together, with the keys they start from (None: always evaluated).
    """

    date: int
    by_key: Mapping[str, tuple[Extract, ...]]
    joint: tuple[tuple[frozenset[str] | None, Extract], ...]


class Indexer:
    """Extracts index rows; safe to share between threads."""

    def __init__(self, registry: Registry, numbers: Mapping[str, int]) -> None:
        self._registry = registry
        self._numbers = numbers
        self._compiled: dict[str, _Steps] = {}
        self._repeated = Repeated()
        self._environment = fhirpath.Environment(resolve=_stand_in)

    def rows(self, resource: Resource) -> IndexRows:
        """The index rows of one resource."""
        resource_type = resource["resourceType"]
        steps = self._compiled.get(resource_type)
        if steps is None:
            steps = self._compiled[resource_type] = self._compile(resource_type)
        rows = IndexRows(steps.date)
        by_key = steps.by_key
        for key in resource:
            for extract in by_key.get(key, ()):
                extract(resource, rows)
        for roots, extract in steps.joint:
            if roots is None or not roots.isdisjoint(resource):
                extract(resource, rows)
        return rows

    def _compile(self, resource_type: str) -> _Steps:
        by_key: dict[str, list[Extract]] = {}
        joint: list[tuple[frozenset[str] | None, Extract]] = []
        for code, parameter in self._registry.parameters(resource_type).items():
            number = self._numbers.get(f"{resource_type}.{code}")
            if number is None or code not in self._registry.sources(resource_type, code):
                continue
            if code == "_text":
                by_key.setdefault("text", []).append(_narrative(number))
                continue
            if not parameter.expression or code in ("_id", "_lastUpdated"):
                continue
            if parameter.type == "composite":
                found = self._composite(resource_type, code, parameter, number)
                element = self._element_of(resource_type, parameter)
                if found and element:
                    by_key.setdefault(element, []).append(found)
                elif found:
                    joint.append((self._roots(resource_type, parameter), found))
                continue
            add = self._adder(resource_type, code, parameter, number)
            if add is None:
                continue
            paths = plain_paths(self._registry.definitions, resource_type, parameter.expression)
            if paths is None:
                evaluate = self._evaluate(parameter.expression, resource_type)
                joint.append((self._roots(resource_type, parameter), _then(evaluate, add)))
            elif parameter.type == "date" and not are_forms_of_one(
                self._registry.definitions, resource_type, paths
            ):
                joint.append((frozenset(path.keys[0] for path in paths), _then(_all(paths), add)))
            else:
                for path in paths:
                    by_key.setdefault(path.keys[0], []).append(_then(walk(path), add))
        date_ = NO_DATE if self._registry.main_date(resource_type) else 0
        steps = {key: self._kept(resource_type, key, each) for key, each in by_key.items()}
        return _Steps(date_, steps, tuple(joint))

    def _kept(self, resource_type: str, key: str, extracts: list[Extract]) -> tuple[Extract, ...]:
        """`extracts` of one key, as one that remembers where that is worth it."""
        definitions = self._registry.definitions
        if comes_again(definitions.types[resource_type].elements.get(key), definitions):
            return (self._repeated.kept(key, extracts),)
        return tuple(extracts)

    def _element_of(self, resource_type: str, parameter: SearchParameter) -> str:
        """The key of the element that all a composite says is in; "" where it may look elsewhere."""
        definitions = self._registry.definitions
        paths = plain_paths(definitions, resource_type, parameter.expression) or ()
        keys = {path.keys[0] for path in paths}
        looks_away = any(_LOOKS_AWAY.search(text) for _, text in parameter.components)
        return keys.pop() if len(keys) == 1 and not looks_away else ""

    def _roots(self, resource_type: str, parameter: SearchParameter) -> frozenset[str] | None:
        return _roots(self._registry.definitions, resource_type, parameter.expression)

    def _adder(
        self, resource_type: str, code: str, parameter: SearchParameter, number: int
    ) -> Add | None:
        """What the typed values of one parameter add."""
        registry = self._registry
        match parameter.type:
            case "token":
                return lambda values, rows: token.extract(values, number, rows)
            case "string":
                return lambda values, rows: text.extract(values, number, rows, code)
            case "date":
                zone = registry.zone
                if code == registry.main_date(resource_type):
                    return lambda values, rows: _main_date(
                        date.extract(values, number, rows, zone), rows
                    )
                return lambda values, rows: _ignore(date.extract(values, number, rows, zone))
            case "reference":
                member = any(
                    code in registry.sources(resource_type, each)
                    for each in registry.compartment(resource_type)
                )
                bases = registry.own_bases
                left = frozenset(registry.left_to_others(resource_type, code))
                return lambda values, rows: reference.extract(
                    values, number, rows, bases, member, left=left
                )
            case "quantity":
                return lambda values, rows: quantity.extract_quantity(values, number, rows)
            case "number":
                return lambda values, rows: quantity.extract(values, number, rows)
            case "uri":
                return lambda values, rows: uri.extract(values, number, rows)
            case "special" if code == "near":
                return lambda values, rows: position.extract(values, number, rows)
        return None

    def _composite(
        self, resource_type: str, code: str, parameter: SearchParameter, number: int
    ) -> Extract | None:
        found = self._registry.composite(resource_type, code)
        if found is None or found.how != "context":
            return None
        environment, zone = self._environment, self._registry.zone
        contexts = fhirpath.compile(
            parameter.expression,
            definitions=self._registry.definitions,
            root_type=resource_type,
        )
        root = type_of(self._registry.definitions, parameter.expression)
        parts = [
            fhirpath.compile(expression, definitions=self._registry.definitions, root_type=root)
            for _, expression in parameter.components
        ]

        def extract(resource: Resource, rows: IndexRows) -> None:
            variables = {"resource": resource}
            elements = [
                tuple(
                    part.typed(element, variables=variables, environment=environment)
                    for part in parts
                )
                for element in contexts(resource, environment=environment)
            ]
            composite.extract(elements, number, found.kinds, rows, zone)

        return extract

    def _evaluate(
        self, expression: str, resource_type: str
    ) -> Callable[[Resource], list[tuple[str, Any]]]:
        compiled = fhirpath.compile(
            expression, definitions=self._registry.definitions, root_type=resource_type
        )
        environment = self._environment
        return lambda resource: compiled.typed(resource, environment=environment)


def _then(evaluate: Callable[[Resource], list[Typed]], add: Add) -> Extract:
    def extract(resource: Resource, rows: IndexRows) -> None:
        values = evaluate(resource)
        if values:
            add(values, rows)

    return extract


def _all(paths: tuple[Path, ...]) -> Callable[[Resource], list[Typed]]:
    walks = [walk(path) for path in paths]
    return lambda resource: [each for one in walks for each in one(resource)]


def _main_date(intervals: list[tuple[int, int]], rows: IndexRows) -> None:
    if intervals:
        earliest = min(low if low > date.EARLIEST else high for low, high in intervals)
        rows.date = earliest // 10_000


def _ignore(_: object) -> None:
    """The intervals of a date that is not the main one are only rows."""


def _narrative(number: int) -> Extract:
    def extract(resource: Resource, rows: IndexRows) -> None:
        narrative = resource.get("text")
        div = narrative.get("div") if isinstance(narrative, dict) else None
        if isinstance(div, str):
            text.extract_words([unescape(_NARRATIVE.sub(" ", div))], number, rows)

    return extract


def _stand_in(written: str) -> Resource | None:
    """For ``resolve() is Patient`` the type that the reference names is enough."""
    named = reference.target_type(written)
    return {"resourceType": named} if named else None


def _roots(definitions: Definitions, resource_type: str, expression: str) -> frozenset[str] | None:
    """The JSON keys that an expression starts from; None when it may hold without them."""
    if _NEEDS_ABSENCE.search(expression):
        return None
    choices = definitions.types[resource_type].choices
    roots: set[str] = set()
    for member in expression.split("|"):
        match = _ROOT.match(member.strip())
        if not match:
            return None
        roots.update(choices.get(match[1], (match[1],)))
    return frozenset(roots)


def type_of(definitions: Definitions, path: str) -> str | None:
    """The type of the element at a plain path such as ``Observation.component``."""
    name, *steps = path.split(".")
    for step in steps:
        shape = definitions.types.get(name)
        element = shape.elements.get(step) if shape else None
        if element is None:
            return None
        name = element.type
    return name

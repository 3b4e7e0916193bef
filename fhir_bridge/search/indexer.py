"""Index extraction, compiled once per type: a resource in, index rows out.

Each parameter's expression is FHIRPath, compiled by `fhir_bridge.fhirpath`; a parameter is
evaluated only when the resource has the element that the expression starts from.
https://hl7.org/fhir/R4/searchparameter-definitions.html#SearchParameter.expression
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fhir_bridge import fhirpath
from fhir_bridge.fhir import Definitions, Resource, SearchParameter
from fhir_bridge.search import composite, date, quantity, reference, text, token, uri
from fhir_bridge.search.rows import NO_DATE, IndexRows

if TYPE_CHECKING:
    from fhir_bridge.search.registry import Registry

__all__ = ["Indexer", "type_of"]

_ROOT = re.compile(r"\(*\s*(?:[A-Z]\w+)\.(\w+)")
_NEEDS_ABSENCE = re.compile(r"exists\(|empty\(|\bnot\(|\band\b|\bor\b|%resource")
_NARRATIVE = re.compile(r"<[^>]*>")

Extract = Callable[[Resource, IndexRows], None]


@dataclass(frozen=True, slots=True)
class _Step:
    """One parameter of a type: `roots` None means that it is always evaluated."""

    roots: frozenset[str] | None
    extract: Extract


class Indexer:
    """Extracts index rows; safe to share between threads."""

    def __init__(self, registry: Registry, numbers: Mapping[str, int]) -> None:
        self._registry = registry
        self._numbers = numbers
        self._compiled: dict[str, tuple[_Step, ...]] = {}
        self._environment = fhirpath.Environment(resolve=_stand_in)

    def rows(self, resource: Resource) -> IndexRows:
        """The index rows of one resource."""
        resource_type = resource["resourceType"]
        steps = self._compiled.get(resource_type)
        if steps is None:
            steps = self._compiled[resource_type] = self._compile(resource_type)
        rows = IndexRows()
        if self._registry.main_date(resource_type):
            rows.date = NO_DATE
        for step in steps:
            if step.roots is None or not step.roots.isdisjoint(resource):
                step.extract(resource, rows)
        return rows

    def _compile(self, resource_type: str) -> tuple[_Step, ...]:
        parameters = self._registry.parameters(resource_type)
        steps = []
        for code, parameter in parameters.items():
            number = self._numbers.get(f"{resource_type}.{code}")
            if number is None:
                continue
            if code == "_text":
                steps.append(_Step(frozenset({"text"}), _narrative(number)))
                continue
            extract = self._extract(resource_type, code, parameter, number)
            if extract:
                roots = _roots(self._registry.definitions, resource_type, parameter.expression)
                steps.append(_Step(roots, extract))
        return tuple(steps)

    def _extract(
        self, resource_type: str, code: str, parameter: SearchParameter, number: int
    ) -> Extract | None:
        """What one parameter adds; None for what is answered without an index."""
        if not parameter.expression or code in ("_id", "_lastUpdated"):
            return None
        if parameter.type == "composite":
            return self._composite(resource_type, code, parameter, number)
        evaluate = self._evaluate(parameter.expression, resource_type)
        registry = self._registry
        match parameter.type:
            case "token":
                return lambda resource, rows: token.extract(evaluate(resource), number, rows)
            case "string":
                return lambda resource, rows: text.extract(evaluate(resource), number, rows, code)
            case "date":
                zone = registry.zone
                if code == registry.main_date(resource_type):
                    return lambda resource, rows: _main_date(
                        date.extract(evaluate(resource), number, rows, zone), rows
                    )
                return lambda resource, rows: _ignore(
                    date.extract(evaluate(resource), number, rows, zone)
                )
            case "reference":
                member = code in registry.compartment(resource_type)
                bases = registry.own_bases
                return lambda resource, rows: reference.extract(
                    evaluate(resource), number, rows, bases, member
                )
            case "quantity":
                return lambda resource, rows: quantity.extract_quantity(
                    evaluate(resource), number, rows
                )
            case "number":
                return lambda resource, rows: quantity.extract(evaluate(resource), number, rows)
            case "uri":
                return lambda resource, rows: uri.extract(evaluate(resource), number, rows)
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
            text.extract_words([_NARRATIVE.sub(" ", div)], number, rows)

    return extract


def _stand_in(written: str) -> Resource | None:
    """For ``resolve() is Patient`` the type that the reference names is enough."""
    named = reference.target_type(written)
    return {"resourceType": named} if named else None


def _roots(
    definitions: Definitions, resource_type: str, expression: str
) -> frozenset[str] | None:
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

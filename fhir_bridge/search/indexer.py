"""Index extraction, compiled once per type: a resource in, index rows out.

Each parameter's expression is FHIRPath: a union of plain paths is walked directly (`paths`),
any other is compiled by `fhir_bridge.fhirpath`.  A parameter is evaluated only when the
resource has the element that the expression starts from.
https://hl7.org/fhir/R4/searchparameter-definitions.html#SearchParameter.expression
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fhir_bridge import fhirpath
from fhir_bridge.fhir import Resource
from fhir_bridge.fhirpath import parse
from fhir_bridge.search.element_types import element_type
from fhir_bridge.search.paths import RESOLVED_BY_TYPE, Path, are_forms_of_one, plain_paths, walk
from fhir_bridge.search.registry import Registry
from fhir_bridge.search.row_memo import Extract, RowMemo, is_recurring
from fhir_bridge.search.rows import NO_DATE, IndexRows
from fhir_bridge.search.starts import looks_away, start_keys
from fhir_bridge.search.types import (
    NARRATIVE,
    Parameter,
    Slot,
    Typed,
    extract_elements,
)

__all__ = ["Indexer"]

_DIV = Path(("text", "div"), "xhtml")
"""What a search of the narrative reads; R4 publishes no expression of it."""

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
    spans: frozenset[int] = frozenset()
    """Numbers of the date parameters that are kept by row."""


class Indexer:
    """Extracts index rows; safe to share between threads."""

    def __init__(self, registry: Registry, numbers: Mapping[str, int]) -> None:
        self._registry = registry
        self._numbers = numbers
        self._compiled: dict[str, _Steps] = {}
        self._row_memo = RowMemo()

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
        if steps.spans:
            found = ((abs(key), low, high) for key, low, high in rows.dates)
            rows.spans = {each for each in found if each[0] in steps.spans}
        return rows

    def _compile(self, resource_type: str) -> _Steps:
        registry = self._registry
        by_key: dict[str, list[Extract]] = {}
        joint: list[tuple[frozenset[str] | None, Extract]] = []
        for code, definition in registry.parameters(resource_type).items():
            number = self._numbers.get(registry.symbol(resource_type, code))
            parameter = registry.resolve(resource_type, code)
            is_own = code in registry.sources(resource_type, code)
            if number is None or parameter is None or not is_own:
                continue
            if parameter.type is NARRATIVE:
                by_key.setdefault("text", []).append(_then(walk(_DIV), _adder(parameter, number)))
                continue
            expression = definition.expression
            if not expression:
                continue
            if parameter.composition is not None:
                if parameter.composition.how != "context":
                    continue
                components = [each for _, each in definition.components]
                extract = self._elements(resource_type, parameter, number, expression, components)
                element = self._element_of(resource_type, expression, components)
                if element:
                    by_key.setdefault(element, []).append(extract)
                else:
                    joint.append((self._roots(resource_type, expression), extract))
                continue
            add = _adder(parameter, number)
            paths = plain_paths(registry.definitions, resource_type, expression)
            if paths is None:
                evaluate = self._evaluate(expression, resource_type)
                joint.append((self._roots(resource_type, expression), _then(evaluate, add)))
            elif parameter.type.is_joint and not are_forms_of_one(
                registry.definitions, resource_type, paths
            ):
                joint.append((frozenset(path.keys[0] for path in paths), _then(_all(paths), add)))
            else:
                for path in paths:
                    by_key.setdefault(path.keys[0], []).append(_then(walk(path), add))
        date = NO_DATE if registry.main_date(resource_type) else 0
        steps = {key: self._memoised(resource_type, key, each) for key, each in by_key.items()}
        kept = (each for each in registry.kept_by_row if each.startswith(f"{resource_type}."))
        spans = frozenset(self._numbers[each] for each in kept if each in self._numbers)
        return _Steps(date, steps, tuple(joint), spans)

    def _memoised(
        self, resource_type: str, key: str, extracts: list[Extract]
    ) -> tuple[Extract, ...]:
        """`extracts` of one key, as one with a memo where that is worth it."""
        definitions = self._registry.definitions
        if is_recurring(definitions.types[resource_type].elements.get(key), definitions):
            return (self._row_memo.memoise(key, extracts),)
        return tuple(extracts)

    def _element_of(self, resource_type: str, expression: str, components: list[str]) -> str:
        """The key of the element that all a composite says is in; "" where it may look elsewhere."""
        paths = plain_paths(self._registry.definitions, resource_type, expression) or ()
        keys = {path.keys[0] for path in paths}
        is_alone = len(keys) == 1 and not any(looks_away(parse(text)) for text in components)
        return keys.pop() if is_alone else ""

    def _roots(self, resource_type: str, expression: str) -> frozenset[str] | None:
        return start_keys(self._registry.definitions, resource_type, parse(expression))

    def _elements(
        self,
        resource_type: str,
        parameter: Parameter,
        number: int,
        expression: str,
        components: list[str],
    ) -> Extract:
        """What a composite adds for each of its elements."""
        environment, definitions = RESOLVED_BY_TYPE, self._registry.definitions
        contexts = fhirpath.compile(expression, definitions=definitions, root_type=resource_type)
        root = element_type(definitions, contexts.tree)
        parts = [
            fhirpath.compile(each, definitions=definitions, root_type=root) for each in components
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
            extract_elements(parameter, number, elements, rows)

        return extract

    def _evaluate(self, expression: str, resource_type: str) -> Callable[[Resource], list[Typed]]:
        compiled = fhirpath.compile(
            expression, definitions=self._registry.definitions, root_type=resource_type
        )
        return lambda resource: compiled.typed(resource, environment=RESOLVED_BY_TYPE)


def _adder(parameter: Parameter, number: int) -> Add:
    """What the typed values of one parameter add."""
    extract, slot = parameter.type.extract, Slot(number, number)
    return lambda values, rows: extract(parameter, slot, values, rows)


def _then(evaluate: Callable[[Resource], list[Typed]], add: Add) -> Extract:
    def extract(resource: Resource, rows: IndexRows) -> None:
        values = evaluate(resource)
        if values:
            add(values, rows)

    return extract


def _all(paths: tuple[Path, ...]) -> Callable[[Resource], list[Typed]]:
    walks = [walk(path) for path in paths]
    return lambda resource: [each for one in walks for each in one(resource)]

"""Which search parameters each type has, and what is needed to index and to plan by them.

https://hl7.org/fhir/R4/searchparameter-registry.html.  The parameters come from the R4
definitions and from SearchParameter resources of a site; none is named in code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, tzinfo
from functools import cached_property
from typing import Any

from fhir_bridge.fhir import Definitions, Resource, SearchParameter, expression_part
from fhir_bridge.search.canonical import names_canonicals
from fhir_bridge.search.composite import Composite, composite_of
from fhir_bridge.search.hierarchy import Hierarchies
from fhir_bridge.search.indexer import Indexer, type_of
from fhir_bridge.search.paths import has_one_value
from fhir_bridge.search.rows import IndexRows
from fhir_bridge.search.sharing import left_to_others, shared_sources

__all__ = ["Registry", "ValueSetCodes"]

ValueSetCodes = Callable[[str], Iterable[tuple[str, str]] | None]
"""(system, code) of each code in a value set by URL; None when it is not known."""

_MAIN_DATES = (
    "date",
    "authored",
    "authoredon",
    "authored-on",
    "issued",
    "recorded",
    "recorded-date",
    "created",
    "sent",
    "collected",
    "whenhandedover",
    "effective-time",
    "onset-date",
    "period",
    "start",
)

_PLAIN = frozenset({"code", "boolean", "string", "id", "uri"})

# R4 publishes the two component expressions of this parameter in each other's place.
_CORRECTIONS = {
    "http://hl7.org/fhir/SearchParameter/DocumentReference-relationship": ("target", "code"),
}


class Registry:
    """Search parameters by type; immutable after it is made, shared by all threads.

    `extra` are SearchParameter resources (or values) of a site; one with the code of a
    published parameter replaces it.  `zone` is the zone of dates without one.
    `own_bases` are the addresses under which this server is known, so that an absolute
    reference to itself is local.  `value_set_codes` serves ``:in`` and ``:not-in``,
    `code_systems` (by URL) ``:above`` and ``:below``.
    """

    def __init__(
        self,
        definitions: Definitions,
        extra: Iterable[SearchParameter | Resource] = (),
        *,
        zone: tzinfo = UTC,
        own_bases: tuple[str, ...] = (),
        value_set_codes: ValueSetCodes | None = None,
        code_systems: Mapping[str, Resource] | None = None,
    ) -> None:
        self.definitions = definitions
        self.zone = zone
        self.own_bases = own_bases
        self.value_set_codes = value_set_codes
        self.hierarchies = Hierarchies(code_systems or {})
        self._extra: dict[tuple[str, str], SearchParameter] = {}
        for parameter in extra:
            for each in _parameters_of(parameter):
                self._extra[each.base, each.code] = each
        self._canonical: dict[tuple[str, str], bool] = {}
        self._by_type: dict[str, Mapping[str, SearchParameter]] = {}
        self._composites: dict[tuple[str, str], Composite | None] = {}
        self._shared: dict[str, dict[str, tuple[str, ...]]] = {}
        self._left: dict[str, dict[str, dict[str, str]]] = {}
        self._kinds: dict[tuple[str, str], frozenset[str | None]] = {}

    def parameters(self, resource_type: str) -> Mapping[str, SearchParameter]:
        """By code, all parameters of one type ("Resource": those that every type has)."""
        found = self._by_type.get(resource_type)
        if found is None:
            of_type = dict(self.definitions.search_parameters_of(resource_type))
            if resource_type == "Resource":
                of_type = {c: p for c, p in of_type.items() if p.base == "Resource"}
            for (base, code), parameter in self._extra.items():
                if base in (resource_type, "Resource", "DomainResource"):
                    of_type[code] = parameter
            found = self._by_type[resource_type] = {
                code: _corrected(parameter) for code, parameter in sorted(of_type.items())
            }
        return found

    def composite(self, resource_type: str, code: str) -> Composite | None:
        """How a composite parameter is answered; None when it is not a composite."""
        known = (resource_type, code)
        if known not in self._composites:
            self._composites[known] = composite_of(self.parameters(resource_type), code)
        return self._composites[known]

    def is_code(self, resource_type: str, code: str) -> bool:
        """Whether a token parameter is on a plain code, whose system the element implies."""
        return self.kinds(resource_type, code) <= _PLAIN

    def kinds(self, resource_type: str, code: str) -> frozenset[str | None]:
        """The types of the elements of a parameter; None for what no plain path names."""
        known = (resource_type, code)
        found = self._kinds.get(known)
        if found is None:
            expression = self.parameters(resource_type)[code].expression
            members = [each.strip() for each in expression.split("|")]
            found = frozenset(type_of(self.definitions, each) for each in members)
            self._kinds[known] = found
        return found

    def is_single(self, resource_type: str, code: str) -> bool:
        """Whether a resource can have at most one value of a parameter, of one text."""
        parameter = self.parameters(resource_type)[code]
        return has_one_value(self.definitions, resource_type, parameter.expression)

    def is_canonical(self, resource_type: str, code: str) -> bool:
        """Whether a reference parameter has canonical URLs as values."""
        known = (resource_type, code)
        found = self._canonical.get(known)
        if found is None:
            parameter = self.parameters(resource_type).get(code)
            found = self._canonical[known] = (
                parameter is not None
                and parameter.type == "reference"
                and names_canonicals(self.definitions, resource_type, parameter.expression)
            )
        return found

    def symbol(self, resource_type: str, code: str) -> str:
        """The name of a parameter's own index."""
        return f"{resource_type}.{code}"

    def sources(self, resource_type: str, code: str) -> tuple[str, ...]:
        """The codes of the parameters whose indexes answer a parameter, mostly its own."""
        shared = self._shared.get(resource_type)
        if shared is None:
            parameters = self.parameters(resource_type)
            shared = shared_sources(self.definitions, resource_type, parameters)
            left = {
                whole: parts
                for whole, parts in left_to_others(parameters).items()
                if whole not in shared and shared.keys().isdisjoint(parts.values())
            }
            self._shared[resource_type] = _with_parts(shared, left)
            self._left[resource_type] = left
            shared = self._shared[resource_type]
        return shared.get(code, (code,))

    def left_to_others(self, resource_type: str, code: str) -> Mapping[str, str]:
        """The types whose references stand under another code's index instead, with that code."""
        self.sources(resource_type, code)
        return self._left[resource_type].get(code, {})

    def holds(self, symbol: str, target: str) -> bool:
        """Whether an index may hold references to resources of the type `target` ("": unknown)."""
        resource_type, _, code = symbol.partition(".")
        if target in self.left_to_others(resource_type, code):
            return False
        return all(
            type_ == target
            for parts in self._left[resource_type].values()
            for type_, part in parts.items()
            if part == code
        )

    def indexes(self, resource_type: str, code: str) -> tuple[str, ...]:
        """The names of the indexes that together answer a parameter."""
        return tuple(self.symbol(resource_type, each) for each in self.sources(resource_type, code))

    @cached_property
    def symbols(self) -> tuple[str, ...]:
        """The names of all indexes, in a fixed order: what the store numbers."""
        return tuple(
            f"{resource_type}.{code}"
            for resource_type in sorted(self.definitions.resource_types)
            for code in self.parameters(resource_type)
        )

    def main_date(self, resource_type: str) -> str:
        """The code of the date parameter that rows are sorted by; "" when the type has none."""
        parameters = self.parameters(resource_type)
        for code in _MAIN_DATES:
            if code in parameters and parameters[code].type == "date":
                return code
        return ""

    @cached_property
    def main_dates(self) -> frozenset[str]:
        """The names of the indexes that rows are sorted by."""
        types = self.definitions.resource_types
        return frozenset(f"{each}.{self.main_date(each)}" for each in types if self.main_date(each))

    def compartment(self, resource_type: str) -> tuple[str, ...]:
        """Codes of the parameters that put a resource into a Patient's compartment.

        By the R4 definition; a type that it leaves out although it has a ``patient``
        parameter (Contract, Task) is put in by that (docs/clarifications/search.md).
        """
        published = self.definitions.compartments.get("Patient", {}).get(resource_type, ())
        parameters = self.parameters(resource_type)
        codes = tuple(code for code in published if code in parameters)
        if codes:
            return codes
        own = parameters.get("patient")
        return ("patient",) if own is not None and own.type == "reference" else ()

    def indexer(self, numbers: Mapping[str, int]) -> Indexer:
        """An index extractor that writes the numbers given for each of `symbols`."""
        return Indexer(self, numbers)

    def index(self, resource: Resource) -> IndexRows:
        """The index rows of `resource`, with the positions of `symbols` as numbers."""
        return self._own_indexer.rows(resource)

    @cached_property
    def _own_indexer(self) -> Indexer:
        return Indexer(self, {symbol: place for place, symbol in enumerate(self.symbols, 1)})


def _with_parts(
    shared: Mapping[str, tuple[str, ...]], left: Mapping[str, Mapping[str, str]]
) -> dict[str, tuple[str, ...]]:
    """The codes that answer each parameter, with those that others leave references to."""
    own = {whole: (whole,) for whole in left}
    return {
        code: tuple(
            dict.fromkeys(
                each for source in sources for each in (source, *left.get(source, {}).values())
            )
        )
        for code, sources in {**shared, **own}.items()
    }


def _corrected(parameter: SearchParameter) -> SearchParameter:
    expressions = _CORRECTIONS.get(parameter.url)
    if not expressions:
        return parameter
    paired = zip(parameter.components, expressions, strict=True)
    return replace(
        parameter, components=tuple((url, expression) for (url, _), expression in paired)
    )


def _parameters_of(parameter: SearchParameter | Resource) -> Iterable[SearchParameter]:
    """One value for each base type of a SearchParameter resource."""
    if isinstance(parameter, SearchParameter):
        yield parameter
        return
    bases: list[str] = parameter.get("base") or []
    expression: str = parameter.get("expression") or ""
    components: list[dict[str, Any]] = parameter.get("component") or []
    for base in bases:
        yield SearchParameter(
            url=parameter.get("url", ""),
            code=parameter["code"],
            type=parameter["type"],
            expression=expression if len(bases) == 1 else expression_part(expression, base),
            targets=tuple(parameter.get("target") or ()),
            components=tuple(
                (c.get("definition", ""), c.get("expression", "")) for c in components
            ),
            base=base,
        )

"""Which search parameters each type has, and how each is answered.

https://hl7.org/fhir/R4/searchparameter-registry.html.  The parameters come from the R4
definitions and from SearchParameter resources of a site; none is named in code.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, tzinfo
from functools import cached_property

from fhir_bridge.fhir import Definitions, Resource, SearchParameter
from fhir_bridge.search.composition import composition_of
from fhir_bridge.search.definitions import ParameterDefinitions
from fhir_bridge.search.element_types import element_types, leads_to_canonicals
from fhir_bridge.search.hierarchy import Hierarchies
from fhir_bridge.search.paths import has_one_value
from fhir_bridge.search.sharing import Sharing, sharing_of
from fhir_bridge.search.types import (
    COMPOSITE,
    DATE,
    REFERENCE,
    TOKEN,
    Index,
    Parameter,
    SearchSettings,
    ValueSetCodes,
    search_type_of,
)

__all__ = ["Registry"]

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


_KEPT_BY_ROW = frozenset({"Contract.applies", "Task.period"})


class Registry:
    """Search parameters by type; immutable after it is made, shared by all threads.

    `extra` are SearchParameter resources (or values) of a site; one with the code of a
    published parameter replaces it.  `zone` is the zone of dates without one.
    `own_bases` are the addresses of this server, so that an absolute
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
        self.settings = SearchSettings(
            tuple(sorted(definitions.resource_types)),
            zone,
            own_bases,
            value_set_codes,
            Hierarchies(code_systems),
        )
        self.parameters = ParameterDefinitions(definitions, extra).of
        """By code, all parameters of one type ("Resource": those that every type has)."""
        self._sharing: dict[str, Sharing] = {}
        self._indexes: dict[tuple[str, str], tuple[Index, ...]] = {}
        self._codes: dict[str, tuple[str, ...]] = {}
        self._main_dates: dict[str, str] = {}
        self._resolved: dict[tuple[str, str], Parameter | None] = {}

    def resolve(self, resource_type: str, code: str) -> Parameter | None:
        """The parameter with what answers it; None when the type has none that is answered."""
        key = (resource_type, code)
        if key not in self._resolved:
            self._resolved[key] = self._resolve(resource_type, code)
        return self._resolved[key]

    def codes(self, resource_type: str) -> tuple[str, ...]:
        """The codes of the parameters that `resolve` gives, in order."""
        codes = self._codes.get(resource_type)
        if codes is None:
            codes = self._codes[resource_type] = tuple(
                code
                for code in self.parameters(resource_type)
                if self.resolve(resource_type, code) is not None
            )
        return codes

    def _resolve(self, resource_type: str, code: str) -> Parameter | None:
        definition = self.parameters(resource_type).get(code)
        type_ = search_type_of(definition) if definition is not None else None
        if definition is None or type_ is None:
            return None
        expression = definition.expression
        return Parameter(
            code,
            type_,
            self.settings,
            self.indexes_of(resource_type, code),
            element_types(self.definitions, expression),
            definition.targets or self.settings.resource_types,
            is_single=has_one_value(self.definitions, resource_type, expression),
            is_canonical=type_ is REFERENCE
            and leads_to_canonicals(self.definitions, resource_type, expression),
            is_main_date=code == self.main_date(resource_type),
            is_member=any(
                code in self.sources(resource_type, each)
                for each in self.compartment(resource_type)
            ),
            composition=composition_of(
                self.parameters(resource_type),
                code,
                lambda other: self._required(resource_type, other),
                lambda component: self._component(resource_type, code, component),
            )
            if type_ is COMPOSITE
            else None,
        )

    def _required(self, resource_type: str, code: str) -> Parameter:
        parameter = self.resolve(resource_type, code)
        if parameter is None:
            raise LookupError(f"{resource_type}.{code} is part of a composite and not answered")
        return parameter

    def _component(
        self, resource_type: str, code: str, component: SearchParameter | None
    ) -> Parameter:
        """A component of the composite `code`, in the index of that."""
        code_of_component = component.code if component is not None else code
        type_ = search_type_of(component) if component is not None else TOKEN
        definition = self.parameters(resource_type)[code_of_component]
        return Parameter(
            code_of_component,
            type_ or TOKEN,
            self.settings,
            (Index(self.symbol(resource_type, code)),),
            element_types(self.definitions, definition.expression),
            definition.targets or self.settings.resource_types,
        )

    def is_canonical(self, resource_type: str, code: str) -> bool:
        """Whether a reference parameter has canonical URLs as values."""
        parameter = self.resolve(resource_type, code)
        return parameter is not None and parameter.is_canonical

    def reference_codes(self, resource_type: str) -> tuple[str, ...]:
        """The codes of the reference parameters of a type."""
        parameters = self.parameters(resource_type)
        return tuple(code for code, each in parameters.items() if search_type_of(each) is REFERENCE)

    def symbol(self, resource_type: str, code: str) -> str:
        """The name of a parameter's own index."""
        return f"{resource_type}.{code}"

    def sources(self, resource_type: str, code: str) -> tuple[str, ...]:
        """The codes of the parameters whose indexes answer a parameter, mostly its own."""
        return self._sharing_of(resource_type).sources.get(code, (code,))

    def indexes_of(self, resource_type: str, code: str) -> tuple[Index, ...]:
        """The indexes that together answer a parameter."""
        key = (resource_type, code)
        indexes = self._indexes.get(key)
        if indexes is None:
            sharing = self._sharing_of(resource_type)
            indexes = self._indexes[key] = tuple(
                Index(
                    self.symbol(resource_type, each),
                    without=frozenset(sharing.delegated.get(each, ())),
                    only=sharing.only(each),
                )
                for each in self.sources(resource_type, code)
            )
        return indexes

    def _sharing_of(self, resource_type: str) -> Sharing:
        sharing = self._sharing.get(resource_type)
        if sharing is None:
            sharing = self._sharing[resource_type] = sharing_of(
                self.definitions, resource_type, self.parameters(resource_type)
            )
        return sharing

    def indexes(self, resource_type: str, code: str) -> tuple[str, ...]:
        """The names of the indexes that together answer a parameter."""
        return tuple(index.symbol for index in self.indexes_of(resource_type, code))

    @cached_property
    def symbols(self) -> tuple[str, ...]:
        """The names of all indexes, in a fixed order: what the store numbers."""
        return tuple(
            f"{resource_type}.{code}"
            for resource_type in self.settings.resource_types
            for code in self.parameters(resource_type)
        )

    def main_date(self, resource_type: str) -> str:
        """The code of the date parameter that rows are sorted by; "" when the type has none."""
        code = self._main_dates.get(resource_type)
        if code is None:
            parameters = self.parameters(resource_type)
            dates = (
                each
                for each in _MAIN_DATES
                if each in parameters and search_type_of(parameters[each]) is DATE
            )
            code = self._main_dates[resource_type] = next(dates, "")
        return code

    @cached_property
    def kept_by_row(self) -> frozenset[str]:
        """The names of the date indexes that are also kept by row.

        Rights hang on them (whether an agreement is in force), and are asked of one row at a time.
        """
        return _KEPT_BY_ROW.intersection(self.symbols)

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
        return ("patient",) if own is not None and search_type_of(own) is REFERENCE else ()

"""What every type of search parameter knows how to do, and the values that it works on.

https://hl7.org/fhir/R4/search.html#ptypes.  A type owns both sides of its parameters: what a
resource contributes to their indexes (`extract`), and what a searched value means (`read`, once,
then `match` for each index that answers the parameter).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import Any, Generic, Literal, TypeVar

from fhir_bridge.errors import BridgeError
from fhir_bridge.search.conditions import (
    AllOf,
    AnyOf,
    Condition,
    Not,
    Present,
    Table,
    any_of,
    nothing,
)
from fhir_bridge.search.escaping import Written
from fhir_bridge.search.hierarchy import Hierarchies
from fhir_bridge.search.rows import IndexRows

__all__ = [
    "Composition",
    "Index",
    "Parameter",
    "SearchSettings",
    "SearchType",
    "Slot",
    "Typed",
    "ValueSetCodes",
    "expected",
    "over_indexes",
]

Typed = tuple[str, Any]
"""The type of an element and its JSON value."""

ValueSetCodes = Callable[[str], Iterable[tuple[str, str]] | None]
"""(system, code) of each code in a value set by URL; None when it is not known."""

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class SearchSettings:
    """What holds for all parameters of an installation.

    `zone` is the zone of dates without one; `own_bases` the addresses of this server;
    `resource_types` every type, in order.
    """

    resource_types: tuple[str, ...]
    zone: tzinfo = UTC
    own_bases: tuple[str, ...] = ()
    value_set_codes: ValueSetCodes | None = None
    hierarchies: Hierarchies = field(default_factory=Hierarchies)


@dataclass(frozen=True, slots=True)
class Index:
    """One index by its name ("Patient.name"), in the `context` of a composite's other values.

    References to the types `without` are in another index; with `only`, just those to them are here.
    """

    symbol: str
    context: str = ""
    without: frozenset[str] = frozenset()
    only: frozenset[str] = frozenset()

    def may_hold(self, target: str) -> bool:
        """Whether references to resources of the type `target` ("": unknown) can be here."""
        return target not in self.without and (not self.only or self.only == {target})


@dataclass(frozen=True, slots=True, eq=False)
class Parameter:
    """A search parameter of one resource type, resolved against definitions and settings.

    `indexes` answer it together; `element_types` are the types of its elements (None: one that
    no plain path names); `targets` the types that a reference may have.  `is_single`: a resource
    has at most one value; `is_main_date`: rows are sorted by it; `is_member`: a reference to a
    Patient puts the resource into that patient's compartment.
    """

    code: str
    type: SearchType[Any]
    settings: SearchSettings
    indexes: tuple[Index, ...]
    element_types: frozenset[str | None] = frozenset()
    targets: tuple[str, ...] = ()
    is_single: bool = False
    is_canonical: bool = False
    is_main_date: bool = False
    is_member: bool = False
    composition: Composition | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Composition:
    """How a composite of `size` components is answered.

    By any of its `members`, composites themselves (alternatives); by its components on the
    resource (whole); or by its own index, its components in the context of each other.
    https://hl7.org/fhir/R4/search.html#composite
    """

    how: Literal["alternatives", "whole", "context"]
    members: tuple[Parameter, ...]
    size: int


@dataclass(frozen=True, slots=True)
class Slot:
    """Where rows go: the `number` of the index, the `key` of its value tables.

    They differ in the context of a composite.
    """

    number: int
    key: int

    @property
    def is_context(self) -> bool:
        """Whether values are here only beside the others of a composite."""
        return self.key != self.number


class SearchType(ABC, Generic[V]):
    """One type of search parameter; `V` is what a searched value is read as.

    `table` says where its index rows are.  `is_sortable`: ``_sort`` takes it; `is_comparable`:
    ``_filter`` does; `is_shareable`: parameters over the same elements have the same rows.
    `is_joint`: `extract` needs all values of a parameter at once; `names_context`: a composite's
    other values are indexed beside these, which are exact.
    """

    table: Table = "postings"
    is_sortable = False
    is_comparable = True
    is_shareable = False
    is_joint = False
    names_context = False

    def modifiers(self, parameter: Parameter) -> tuple[str, ...]:
        """What may follow the parameter's name after a colon, in any order."""
        return ("missing",)

    def operators(self, parameter: Parameter) -> tuple[str, ...]:
        """The operators of ``_filter`` that are answered."""
        return ("eq", "pr")

    @abstractmethod
    def read(self, parameter: Parameter, modifier: str, written: Written) -> V:
        """The value that is searched for.  Raises BridgeError FB-4103, FB-4107 or FB-4108."""

    @abstractmethod
    def match(self, index: Index, value: V) -> Condition:
        """What a value that was read asks of one index."""

    @abstractmethod
    def extract(
        self, parameter: Parameter, slot: Slot, values: list[Typed], rows: IndexRows
    ) -> None:
        """Adds what the values of a parameter contribute to the index."""

    def condition(
        self, parameter: Parameter, modifier: str, values: Sequence[Written]
    ) -> Condition:
        """One of `values`; `modifier` is one of `modifiers`."""
        conditions = [
            self.on_indexes(parameter, self.read(parameter, modifier, each)) for each in values
        ]
        return conditions[0] if len(conditions) == 1 else AnyOf(tuple(conditions))

    def compare(self, parameter: Parameter, operator: str, written: Written) -> Condition:
        """The same as a comparison of ``_filter``; `operator` is one of `operators`."""
        if operator == "ne":
            return self._different(parameter, written)
        return self.condition(parameter, "", (written,))

    def present(self, parameter: Parameter) -> Condition:
        """There is a value."""
        return any_of(Present(index.symbol, self.table) for index in parameter.indexes)

    def absent(self, parameter: Parameter) -> Condition:
        """There is none."""
        return Not(self.present(parameter))

    def context_values(self, kind: str, value: Any) -> Iterator[str]:
        """The index texts of an element, where the type names contexts."""
        return iter(())

    def context_texts(self, value: V) -> tuple[str, ...]:
        """The same of a searched value; empty when it is no exact one."""
        return ()

    def _different(self, parameter: Parameter, written: Written) -> Condition:
        """There is a value, and it is another one."""
        return AllOf((self.present(parameter), Not(self.compare(parameter, "eq", written))))

    def on_indexes(self, parameter: Parameter, value: V) -> Condition:
        """What a value that was read asks of the indexes that answer a parameter."""
        if len(parameter.indexes) == 1:
            return self.match(parameter.indexes[0], value)
        return over_indexes(parameter, lambda index: self.match(index, value))


def over_indexes(parameter: Parameter, match: Callable[[Index], Condition]) -> Condition:
    """What `match` says of one of the indexes that answer a parameter."""
    if len(parameter.indexes) == 1:
        return match(parameter.indexes[0])
    conditions = map(match, parameter.indexes)
    return any_of(each for each in conditions if each != nothing())


def expected(parameter: Parameter, form: str) -> BridgeError:
    """The refusal of a value that has another form."""
    return BridgeError("FB-4103", parameter.code, parameter=parameter.code, expected=form)

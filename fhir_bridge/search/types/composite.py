"""Composite search parameters: two or more values of one element together.

https://hl7.org/fhir/R4/search.html#composite.  A composite over the whole resource is the
conjunction of its components.  One over a repeating element needs the values of one and
the same element, so that its last component is indexed in the *context* of the others'
texts.  A union of both is answered as any of the parameters it is made of.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product
from typing import Any

from fhir_bridge.search.conditions import AllOf, AnyOf, Condition, Posted
from fhir_bridge.search.escaping import Written
from fhir_bridge.search.hashing import context_key, joined_texts, posting
from fhir_bridge.search.rows import IndexRows
from fhir_bridge.search.types.search_type import (
    Composition,
    Index,
    Parameter,
    SearchType,
    Slot,
    Typed,
    expected,
)

__all__ = ["Composite", "CompositeValue", "extract_elements"]


@dataclass(frozen=True, slots=True, eq=False)
class CompositeValue:
    """The value read for each member; in a context the texts that name it are apart."""

    composition: Composition
    values: tuple[tuple[Parameter, Any], ...]
    contexts: tuple[str, ...] = ()


class Composite(SearchType[CompositeValue]):
    """``value1$value2``."""

    def modifiers(self, parameter: Parameter) -> tuple[str, ...]:
        """None, not even ``missing``."""
        return ()

    def operators(self, parameter: Parameter) -> tuple[str, ...]:
        """The same values."""
        return ("eq",)

    def read(self, parameter: Parameter, modifier: str, written: Written) -> CompositeValue:
        """A value of the type of each component."""
        composition, parts = parameter.composition, written.components()
        size = composition.size if composition else 0
        if composition is None or len(parts) != size:
            raise expected(parameter, f"{size} values joined by $")
        members = composition.members
        if composition.how == "alternatives":
            parts = [written] * len(members)
        values = tuple(
            (member, member.type.read(member, "", part))
            for member, part in zip(members, parts, strict=True)
        )
        if composition.how != "context":
            return CompositeValue(composition, values)
        return _in_context(parameter, composition, values)

    def match(self, index: Index, value: CompositeValue) -> Condition:
        """By other parameters, or by the composite's own index."""
        if value.composition.how != "context":
            conditions = tuple(
                member.type.on_indexes(member, each) for member, each in value.values
            )
            return AllOf(conditions) if value.composition.how == "whole" else AnyOf(conditions)
        if not value.values:
            return Posted(index.symbol, value.contexts)
        compared = [
            AnyOf(
                tuple(
                    member.type.match(Index(index.symbol, _placed(context, place)), each)
                    for context in value.contexts
                )
            )
            for place, (member, each) in enumerate(value.values)
        ]
        return compared[0] if len(compared) == 1 else AllOf(tuple(compared))

    def extract(
        self, parameter: Parameter, slot: Slot, values: list[Typed], rows: IndexRows
    ) -> None:
        """A composite is extracted by its elements: `extract_elements`."""


def extract_elements(
    parameter: Parameter,
    number: int,
    elements: Iterable[tuple[list[Typed], ...]],
    rows: IndexRows,
) -> None:
    """Adds rows for each element, given as the typed values of each component."""
    members = parameter.composition.members if parameter.composition else ()
    for components in elements:
        exact: list[set[str]] = []
        compared: list[tuple[Parameter, list[Typed]]] = []
        for member, values in zip(members, components, strict=True):
            if member.type.names_context:
                context_values = member.type.context_values
                exact.append(
                    {each for kind, value in values for each in context_values(kind, value)}
                )
            else:
                compared.append((member, values))
        for texts in product(*exact):
            if not compared:
                rows.postings.add(posting(number, joined_texts(texts)))
            for place, (member, values) in enumerate(compared):
                key = context_key(number, (_placed(joined_texts(texts), place),))
                member.type.extract(member, Slot(number, key), values, rows)


def _in_context(
    parameter: Parameter, composition: Composition, values: tuple[tuple[Parameter, Any], ...]
) -> CompositeValue:
    """Exact values name the context, the others are compared in it."""
    exact = [
        member.type.context_texts(each) for member, each in values if member.type.names_context
    ]
    if not all(exact):
        raise expected(parameter, "a code, not only a system")
    contexts = tuple(map(joined_texts, product(*exact)))
    compared = tuple(pair for pair in values if not pair[0].type.names_context)
    return CompositeValue(composition, compared, contexts)


def _placed(context: str, place: int) -> str:
    """The context of the compared value at a place."""
    return joined_texts((context, str(place))) if place else context

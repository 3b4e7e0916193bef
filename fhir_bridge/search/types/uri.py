"""URI search parameters: exact, and by path with ``:below`` and ``:above``.

https://hl7.org/fhir/R4/search.html#uri
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from fhir_bridge.search.conditions import Condition, Posted, Term
from fhir_bridge.search.escaping import Written
from fhir_bridge.search.hashing import posting
from fhir_bridge.search.rows import IndexRows
from fhir_bridge.search.types.search_type import Index, Parameter, SearchType, Slot, Typed

__all__ = ["Uri", "UriValue"]

MAX_TERM_LENGTH = 600
"""Characters of a URI that is kept in the dictionary; a longer one is found exactly only."""

How = Literal["exact", "above", "below", "starts", "contains", "ends"]
_MODIFIERS: dict[str, How] = {"": "exact", "above": "above", "below": "below"}
_OPERATORS: dict[str, How] = {"eq": "exact", "co": "contains", "sw": "starts", "ew": "ends"}


@dataclass(frozen=True, slots=True)
class UriValue:
    """A URI and how it is compared."""

    uri: str
    how: How


class Uri(SearchType[UriValue]):
    """A uri, url or canonical."""

    is_shareable = True
    names_context = True

    def modifiers(self, parameter: Parameter) -> tuple[str, ...]:
        """By path."""
        return ("above", "below", "missing")

    def operators(self, parameter: Parameter) -> tuple[str, ...]:
        """``ne`` where there is at most one."""
        return (*_OPERATORS, "pr", *(("ne",) if parameter.is_single else ()))

    def read(self, parameter: Parameter, modifier: str, written: Written) -> UriValue:
        """A URI."""
        return UriValue(written.text, _MODIFIERS[modifier])

    def match(self, index: Index, value: UriValue) -> Condition:
        """By postings; where the whole URI is not given, by the dictionary."""
        match value.how:
            case "exact":
                return Posted(index.symbol, (value.uri,))
            case "above":
                return Posted(index.symbol, _above(value.uri))
            case how:
                return Term(index.symbol, value.uri, how)

    def compare(self, parameter: Parameter, operator: str, written: Written) -> Condition:
        """The URI starts with, ends with, contains or is the value."""
        how = _OPERATORS.get(operator)
        if how is None:
            return self._different(parameter, written)
        return self.on_indexes(parameter, UriValue(written.text, how))

    def extract(
        self, parameter: Parameter, slot: Slot, values: list[Typed], rows: IndexRows
    ) -> None:
        """A posting for each URI, and the URI to the dictionary; a canonical also by its URL."""
        for _, value in values:
            if isinstance(value, str) and value:
                term = posting(slot.number, value)
                rows.postings.add(term)
                if len(value) <= MAX_TERM_LENGTH and "\x00" not in value:
                    rows.terms.add((slot.number, value, term))
                plain, bar, _ = value.partition("|")
                if bar:
                    rows.postings.add(posting(slot.number, plain))

    def context_values(self, kind: str, value: Any) -> Iterator[str]:
        """The URI itself."""
        if isinstance(value, str):
            yield value

    def context_texts(self, value: UriValue) -> tuple[str, ...]:
        """The URI itself."""
        return (value.uri,)


def _above(value: str) -> tuple[str, ...]:
    """`value` and every URI above it on its path.

    >>> _above("http://acme.org/fhir/1")[:3]
    ('http://acme.org/fhir/1', 'http://acme.org/fhir', 'http://acme.org')
    """
    scheme, separator, path = value.partition("://")
    if not separator or scheme.lower() == "urn":
        return (value,)  # R4: of URLs, not of URNs
    steps = path.rstrip("/").split("/")
    uris = [value]
    uris += [f"{scheme}://{'/'.join(steps[:size])}" for size in range(len(steps), 0, -1)]
    uris += [f"{text}/" for text in uris[1:]]
    return tuple(dict.fromkeys(uris))

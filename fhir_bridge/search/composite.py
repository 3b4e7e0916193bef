"""Composite search parameters: two or more values of one element together.

https://hl7.org/fhir/R4/search.html#composite.  A composite over the whole resource is the
conjunction of its components.  One over a repeating element needs the values of one and
the same element, so that its last component is indexed in the *context* of the others'
texts.  A union of both is answered as either of the parameters it is made of.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal

from fhir_bridge.fhir import SearchParameter
from fhir_bridge.search import date, quantity, text, token
from fhir_bridge.search.folding import fold
from fhir_bridge.search.hashing import VALUE_BITS, VALUE_MASK, posting, text_key
from fhir_bridge.search.reference import local
from fhir_bridge.search.rows import IndexRows

__all__ = ["Composite", "composite_of", "context_key", "extract", "joined"]

Typed = tuple[str, Any]


@dataclass(frozen=True, slots=True)
class Composite:
    """How a composite is answered.

    ``whole``: by the parameters named in `codes`, on the resource; ``either``: by any of
    the composites named in `codes`; ``context``: by its own index, where `kinds` are the
    types of the components.
    """

    how: Literal["whole", "either", "context"]
    codes: tuple[str, ...]
    kinds: tuple[str, ...]


def composite_of(parameters: Mapping[str, SearchParameter], code: str) -> Composite | None:
    """How the composite `code` is answered; None when it is not a composite."""
    parameter = parameters.get(code)
    if parameter is None or parameter.type != "composite":
        return None
    by_url = {each.url: each for each in parameters.values()}
    definitions = [by_url.get(url) for url, _ in parameter.components]
    kinds = tuple(each.type if each else "token" for each in definitions)
    members = tuple(part.strip() for part in parameter.expression.split("|"))
    if len(members) > 1:
        codes = tuple(_same_over(parameters, parameter, member) for member in members)
        if all(codes):
            return Composite("either", codes, kinds)
    if members == (parameter.base,) and all(definitions):
        return Composite("whole", tuple(each.code for each in definitions if each), kinds)
    return Composite("context", (), kinds)


def context_key(number: int, texts: Iterable[str]) -> int:
    """The key under which values stand that share an element with `texts`."""
    return (number << VALUE_BITS) | (text_key(joined(texts)) & VALUE_MASK)


def joined(texts: Iterable[str]) -> str:
    """Several index texts as one."""
    return "\x06".join(texts)


def extract(
    elements: Iterable[tuple[list[Typed], ...]],
    number: int,
    kinds: tuple[str, ...],
    rows: IndexRows,
    zone: Any,
) -> None:
    """Adds rows for each element, given as the typed values of each component."""
    for components in elements:
        exact = [
            {each for kind, value in values for each in _exact_texts(wanted, kind, value)}
            for wanted, values in zip(kinds, components, strict=True)
            if wanted in _EXACT
        ]
        others = [
            (wanted, values)
            for wanted, values in zip(kinds, components, strict=True)
            if wanted not in _EXACT
        ]
        for texts in product(*exact):
            if not others:
                rows.postings.add(posting(number, joined(texts)))
            for place, (wanted, values) in enumerate(others):
                key = context_key(number, (*texts, str(place)) if place else texts)
                _extract_in_context(wanted, values, (key, number), rows, zone)


def _extract_in_context(
    wanted: str, values: list[Typed], place: tuple[int, int], rows: IndexRows, zone: Any
) -> None:
    key, number = place
    for kind, value in values:
        if wanted == "quantity" and isinstance(value, dict):
            quantity.add(value, key, number, rows)
        elif wanted == "date":
            for low, high in date.intervals(kind, value, zone):
                rows.dates.add((key, low, high))
        elif wanted == "number":
            quantity.extract([(kind, value)], key, rows)
        elif wanted == "string":
            for part, _ in text.parts(kind, value, ""):
                rows.texts.add((key, text.bounded(fold(part)), 0))


def _exact_texts(wanted: str, kind: str, value: Any) -> Iterator[str]:
    if wanted == "token":
        yield from token.variants(kind, value)
    else:
        written = value.get("reference") if isinstance(value, dict) else value
        if isinstance(written, str):
            yield local(written)[0]


def _same_over(
    parameters: Mapping[str, SearchParameter], parameter: SearchParameter, member: str
) -> str:
    """The composite that says the same over one member of a union, or ""."""
    wanted = [expression for _, expression in parameter.components]
    for code, each in parameters.items():
        own = [expression for _, expression in each.components]
        if each.type == "composite" and each.expression == member and own == wanted:
            return code
    return ""


_EXACT = frozenset({"token", "reference", "uri"})

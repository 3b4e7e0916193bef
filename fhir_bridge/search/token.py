"""Token search parameters: codes, identifiers, booleans.

https://hl7.org/fhir/R4/search.html#token.  A coding is indexed under its code alone and
under ``system|code``; matching is exact.  By its system alone an identifier is found by a
third posting; a code by the term dictionary, which lists the codes in use, as they repeat.
What people read beside a code (display, text) goes to that dictionary for ``:text``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from fhir_bridge.search.folding import fold
from fhir_bridge.search.hashing import VALUE_BITS, VALUE_MASK, hashed, posting, text_key
from fhir_bridge.search.rows import IndexRows

__all__ = [
    "WITH_SYSTEM",
    "any_system",
    "display",
    "extract",
    "of_type",
    "parse",
    "texts",
    "variants",
]

LONGEST_TERM = 400
"""Characters of a code with its system, or of a folded display, that the dictionary keeps."""

WITH_SYSTEM = frozenset({"Identifier"})
"""Types of elements that are posted under their system alone."""

Term = tuple[int, str, int]
"""Number (negative for a code with its system), text, posting."""


def any_system(code: str) -> str:
    """Index text of a code whatever its system."""
    return f"\x00{code}"


def display(folded: str) -> str:
    """Index text of a folded display or text."""
    return f"\x01{folded}"


def of_type(system: str, code: str, value: str) -> str:
    """Index text of an identifier of a type."""
    return f"\x02{system}|{code}|{value}"


def parse(value: str) -> str:
    """The index text that answers a search for ``code``, ``system|code``, ``|code``, ``system|``."""
    return value if "|" in value else any_system(value)


def extract(values: Iterable[tuple[str, Any]], number: int, rows: IndexRows) -> None:
    """Adds the postings and terms of one token parameter."""
    base = number << VALUE_BITS
    for kind, value in values:
        if type(value) is str:
            rows.postings.add(base | _any_key(value))
        elif type(value) is dict:
            codings = value.get("coding")
            if codings is not None:
                for coding in codings:
                    if type(coding) is dict:
                        _add_coding(coding, number, rows)
                _add_readable(value.get("text"), number, rows)
            elif kind == "Coding":
                _add_coding(value, number, rows)
            else:
                for text in _of_object(kind, value):
                    rows.postings.add(base | (hashed(text) & VALUE_MASK))
                for readable in texts(value):
                    _add_readable(readable, number, rows)
        else:
            for text in variants(kind, value):
                rows.postings.add(posting(number, text))


def _add_coding(coding: dict[str, Any], number: int, rows: IndexRows) -> None:
    system, code, readable = coding.get("system"), coding.get("code"), coding.get("display")
    postings, terms = _coding_rows(
        number,
        system if type(system) is str else None,
        code if type(code) is str else None,
        readable if type(readable) is str else None,
    )
    rows.postings.update(postings)
    rows.terms.update(terms)


def _add_readable(readable: Any, number: int, rows: IndexRows) -> None:
    if type(readable) is str:
        term = _readable(number, readable)
        if term:
            rows.postings.add(term[2])
            rows.terms.add(term)


def variants(kind: str, value: Any) -> Iterator[str]:
    """All index texts of one element."""
    if type(value) is str:
        yield any_system(value)
    elif value is True or value is False:
        yield any_system("true" if value else "false")
    elif isinstance(value, dict):
        yield from _of_object(kind, value)
    elif value is not None:
        yield any_system(str(value))


def texts(value: dict[str, Any]) -> Iterator[str]:
    """What people read in a CodeableConcept, Coding or Identifier."""
    for readable in (value.get("text"), value.get("display")):
        if isinstance(readable, str):
            yield readable
    for coding in value.get("coding") or ():
        if isinstance(coding, dict) and isinstance(coding.get("display"), str):
            yield coding["display"]
    kind = value.get("type")
    if isinstance(kind, dict) and isinstance(kind.get("text"), str):
        yield kind["text"]


@lru_cache(maxsize=1 << 15)
def _coding_rows(
    number: int, system: str | None, code: str | None, readable: str | None
) -> tuple[tuple[int, ...], tuple[Term, ...]]:
    """The postings and terms of one coding; codes repeat, so that they are kept."""
    postings = [posting(number, text) for text in _coded(system, code)]
    terms: list[Term] = []
    if system and code is not None:
        text = f"{system}|{code}"
        if len(text) <= LONGEST_TERM and "\x00" not in text:
            terms.append((-number, text, posting(number, text)))
    if readable is not None:
        term = _readable(number, readable)
        if term:
            postings.append(term[2])
            terms.append(term)
    return tuple(postings), tuple(terms)


@lru_cache(maxsize=1 << 14)
def _any_key(code: str) -> int:
    return text_key(any_system(code)) & VALUE_MASK


@lru_cache(maxsize=1 << 14)
def _readable(number: int, text: str) -> Term | None:
    folded = fold(text)[:LONGEST_TERM]
    return (number, folded, posting(number, display(folded))) if folded else None


def _of_object(kind: str, value: dict[str, Any]) -> Iterator[str]:
    if kind == "CodeableConcept" or "coding" in value:
        for coding in value.get("coding") or ():
            if isinstance(coding, dict):
                yield from _coded(coding.get("system"), coding.get("code"))
    elif kind == "ContactPoint":
        yield from _coded(value.get("system"), value.get("value"))
        yield from _coded(value.get("use"), value.get("value"))
    elif kind == "Identifier" or "value" in value:
        yield from _coded(value.get("system"), value.get("value"))
        system = value.get("system")
        if isinstance(system, str) and system:
            yield f"{system}|"
        yield from _typed_identifier(value)
    else:
        yield from _coded(value.get("system"), value.get("code"))


def _coded(system: Any, code: Any) -> Iterator[str]:
    if isinstance(code, str):
        yield any_system(code)
        yield f"{system}|{code}" if system else f"|{code}"


def _typed_identifier(value: dict[str, Any]) -> Iterator[str]:
    kind, text = value.get("type"), value.get("value")
    if not isinstance(kind, dict) or not isinstance(text, str):
        return
    for coding in kind.get("coding") or ():
        if isinstance(coding, dict) and isinstance(coding.get("code"), str):
            yield of_type(coding.get("system") or "", coding["code"], text)

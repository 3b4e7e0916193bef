"""Token search parameters: codes, identifiers, booleans.

https://hl7.org/fhir/R4/search.html#token.  A coding is indexed under its code alone, under
``system|code``, and under its system alone; matching is exact.  What people read beside a
code (display, text) goes to the term dictionary for ``:text``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from fhir_bridge.search.folding import fold
from fhir_bridge.search.hashing import VALUE_BITS, VALUE_MASK, posting, text_key
from fhir_bridge.search.rows import IndexRows

__all__ = ["any_system", "display", "extract", "of_type", "parse", "texts", "variants"]


LONGEST_TERM = 400
"""Folded characters of a display that are kept in the dictionary."""


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
    add = rows.postings.add
    for kind, value in values:
        if type(value) is str:
            add(base | _any_key(value))
        elif type(value) is dict:
            for key in _object_keys(kind, value):
                add(base | key)
            for readable in texts(value):
                folded, key = _readable(readable)
                if folded:
                    add(base | key)
                    rows.terms.add((number, folded, base | key))
        else:
            for text in variants(kind, value):
                add(posting(number, text))


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


def _object_keys(kind: str, value: dict[str, Any]) -> Iterable[int]:
    codings = value.get("coding")
    if codings is not None:
        return [
            key
            for coding in codings
            if type(coding) is dict
            for key in _coded_keys(coding.get("system"), coding.get("code"))
        ]
    if kind == "Coding":
        return _coded_keys(value.get("system"), value.get("code"))
    return [text_key(text) & VALUE_MASK for text in _of_object(kind, value)]


@lru_cache(maxsize=1 << 15)
def _coded_keys(system: Any, code: Any) -> tuple[int, ...]:
    return tuple(text_key(text) & VALUE_MASK for text in _coded(system, code))


@lru_cache(maxsize=1 << 14)
def _any_key(code: str) -> int:
    return text_key(any_system(code)) & VALUE_MASK


@lru_cache(maxsize=1 << 14)
def _readable(text: str) -> tuple[str, int]:
    folded = fold(text)[:LONGEST_TERM]
    return folded, text_key(display(folded)) & VALUE_MASK


def _of_object(kind: str, value: dict[str, Any]) -> Iterator[str]:
    if kind == "CodeableConcept" or "coding" in value:
        for coding in value.get("coding") or ():
            if isinstance(coding, dict):
                yield from _coded(coding.get("system"), coding.get("code"))
    elif kind == "ContactPoint":
        yield from _coded(value.get("system"), value.get("value"))
        yield from _coded(value.get("use"), value.get("value"))
        yield f"|{value.get('value')}"
    elif kind == "Identifier" or "value" in value:
        yield from _coded(value.get("system"), value.get("value"))
        yield from _typed_identifier(value)
    else:
        yield from _coded(value.get("system"), value.get("code"))


def _coded(system: Any, code: Any) -> Iterator[str]:
    if isinstance(code, str):
        yield any_system(code)
        yield f"{system}|{code}" if system else f"|{code}"
    if isinstance(system, str) and system:
        yield f"{system}|"


def _typed_identifier(value: dict[str, Any]) -> Iterator[str]:
    kind, text = value.get("type"), value.get("value")
    if not isinstance(kind, dict) or not isinstance(text, str):
        return
    for coding in kind.get("coding") or ():
        if isinstance(coding, dict) and isinstance(coding.get("code"), str):
            yield of_type(coding.get("system") or "", coding["code"], text)

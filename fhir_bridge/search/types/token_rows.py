"""What tokens contribute to the index: the texts of codes and identifiers, and their postings.

https://hl7.org/fhir/R4/search.html#token.  An identifier is indexed
under its value alone, under ``system|value`` and under its system alone.  Codes repeat, so
that the term dictionary can list those in use: a coding is indexed under ``system|code``
only, and the dictionary names the postings of a code in every system, and of a system.
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
    "LISTED",
    "WITH_SYSTEM",
    "add_rows",
    "any_system",
    "by_code",
    "code_alone",
    "codes_listed",
    "of_type",
    "variants",
]

MAX_TERM_LENGTH = 400
"""Characters of a code with its system, or of a folded display, that the dictionary keeps."""

WITH_SYSTEM = frozenset({"Identifier"})
"""Types of elements that are posted under their system alone."""

LISTED = "\x07"
"""First character of what is searched for a code in whatever system the dictionary lists it."""

_CODINGS = frozenset({"CodeableConcept", "Coding"})
_BY_CODE = 1 << 20
_AFTER_CODE = "\x1f"

Term = tuple[int, str, int]
"""Number (negative for a code with its system; see also `by_code`), text, posting."""


def any_system(code: str) -> str:
    """Index text of a code whatever its system."""
    return f"\x00{code}"


def code_alone(code: str, kinds: frozenset[str | None]) -> tuple[str, ...]:
    """The index texts of a search for `code` under a parameter on elements of the types `kinds`."""
    if kinds <= _CODINGS and _is_listed(code):
        return (f"{LISTED}{code}",)
    if None in kinds or kinds & _CODINGS:
        return (any_system(code), f"{LISTED}{code}")
    return (any_system(code),)


def by_code(number: int) -> int:
    """The number under which the dictionary lists postings of a parameter by code."""
    return -(number + _BY_CODE)


def codes_listed(code: str) -> tuple[str, str]:
    """First and (exclusive) last text under which the dictionary lists a code."""
    return f"{code}{_AFTER_CODE}", f"{code}{chr(ord(_AFTER_CODE) + 1)}"


def _is_listed(code: str) -> bool:
    return len(code) <= MAX_TERM_LENGTH and "\x00" not in code


def _display(folded: str) -> str:
    """Index text of a folded display or text."""
    return f"\x01{folded}"


def of_type(system: str, code: str, value: str) -> str:
    """Index text of an identifier of a type."""
    return f"\x02{system}|{code}|{value}"


def add_rows(values: Iterable[tuple[str, Any]], number: int, rows: IndexRows) -> None:
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
            elif kind == "Identifier":
                _add_identifier(value, number, rows)
            else:
                _add_object(kind, value, number, rows)
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


def _add_object(kind: str, value: dict[str, Any], number: int, rows: IndexRows) -> None:
    for text in _of_object(kind, value):
        rows.postings.add((number << VALUE_BITS) | (hashed(text) & VALUE_MASK))
    for readable in _texts(value):
        _add_readable(readable, number, rows)


def _add_identifier(value: dict[str, Any], number: int, rows: IndexRows) -> None:
    """The same as `_of_object` says, of which only the system alone comes again."""
    base, system, text = number << VALUE_BITS, value.get("system"), value.get("value")
    if type(text) is str:
        written = f"{system}|{text}" if system else f"|{text}"
        rows.postings.add(base | (hashed(any_system(text)) & VALUE_MASK))
        rows.postings.add(base | (hashed(written) & VALUE_MASK))
    if type(system) is str and system:
        rows.postings.add(base | (text_key(f"{system}|") & VALUE_MASK))
    if "type" in value:
        for typed in _typed_identifier(value):
            rows.postings.add(base | (hashed(typed) & VALUE_MASK))
        _add_readable(_text_of_type(value), number, rows)


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


def _texts(value: dict[str, Any]) -> Iterator[str]:
    """What people read in a CodeableConcept, Coding or Identifier."""
    for readable in (value.get("text"), value.get("display")):
        if isinstance(readable, str):
            yield readable
    for coding in value.get("coding") or ():
        if isinstance(coding, dict) and isinstance(coding.get("display"), str):
            yield coding["display"]
    readable = _text_of_type(value)
    if isinstance(readable, str):
        yield readable


def _text_of_type(identifier: dict[str, Any]) -> Any:
    kind = identifier.get("type")
    return kind.get("text") if isinstance(kind, dict) else None


@lru_cache(maxsize=1 << 15)
def _coding_rows(
    number: int, system: str | None, code: str | None, readable: str | None
) -> tuple[tuple[int, ...], tuple[Term, ...]]:
    """The postings and terms of one coding; codes repeat, so that these are memoised."""
    postings: list[int] = []
    terms: list[Term] = []
    if code is not None:
        text = f"{system or ''}|{code}"
        with_system = posting(number, text)
        postings.append(with_system)
        if _is_listed(code):
            terms.append((by_code(number), f"{codes_listed(code)[0]}{with_system:x}", with_system))
        else:
            postings.append(posting(number, any_system(code)))
        if system and len(text) <= MAX_TERM_LENGTH and "\x00" not in text:
            terms.append((-number, text, with_system))
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
    folded = fold(text)[:MAX_TERM_LENGTH]
    return (number, folded, posting(number, _display(folded))) if folded else None


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

"""Reference search parameters: who points to whom.

https://hl7.org/fhir/R4/search.html#reference.  A literal reference is indexed as ``Type/id``
when it is relative or below one of this server's own addresses, otherwise as it is written
(without the version); a logical one by its identifier.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from fhir_bridge.search.hashing import VALUE_BITS, VALUE_MASK, posting, text_key
from fhir_bridge.search.rows import IndexRows

__all__ = ["by_identifier", "extract", "local", "target_type"]

_REMEMBERED = 1 << 14
"""References that come again: within a batch many resources name the same few."""
_RELATIVE = re.compile(r"([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})(?:/_history/[^/#]+)?(?:#.*)?")


def by_identifier(token: str) -> str:
    """Index text of a logical reference; `token` is the index text of its identifier."""
    return f"\x03{token}"


def local(text: str, own_bases: tuple[str, ...] = ()) -> tuple[str, bool]:
    """The indexed form of a reference, and whether it is ``Type/id`` of this server.

    >>> local("Patient/1/_history/3")
    ('Patient/1', True)
    """
    for base in own_bases:
        if text.startswith(base):
            text = text[len(base) :].lstrip("/")
            break
    match = _RELATIVE.fullmatch(text)
    if match:
        return f"{match[1]}/{match[2]}", True
    return text.partition("/_history/")[0], False


@lru_cache(maxsize=_REMEMBERED)
def target_type(text: str) -> str:
    """The resource type that a literal reference names, or ""."""
    match = _RELATIVE.search(text)
    return match[1] if match else ""


@lru_cache(maxsize=_REMEMBERED)
def _read(text: str, own_bases: tuple[str, ...]) -> tuple[str, int, bool, int]:
    """Type named by a reference, key of its indexed form, whether local, key without version."""
    name, is_local = local(text, own_bases)
    canonical = text_key(name.partition("|")[0]) if "|" in name and not is_local else 0
    named = name.partition("/")[0] if is_local else target_type(text)
    return named, text_key(name), is_local, canonical


def _itself(value: dict[str, Any]) -> str | None:
    """``Type/id`` of a whole resource, such as the Composition of a document."""
    return f"{value['resourceType']}/{value.get('id')}" if "resourceType" in value else None


def extract(
    values: Iterable[tuple[str, Any]],
    number: int,
    rows: IndexRows,
    own_bases: tuple[str, ...],
    member: bool,
    *,
    left: frozenset[str] = frozenset(),
) -> None:
    """Adds postings for each reference; `member` where a Patient's compartment follows.

    References to types in `left` are another index's.
    """
    base = number << VALUE_BITS
    for _, value in values:
        text, identifier = value, None
        if type(value) is dict:
            text, identifier = value.get("reference"), value.get("identifier")
            if text is None:
                text = _itself(value)
        if isinstance(text, str) and text:
            named, key, is_local, canonical = _read(text, own_bases)
            if named in left:
                continue
            if text[0] != "#":
                rows.postings.add(base | (key & VALUE_MASK))
                if is_local:
                    joins = member and named == "Patient"
                    rows.references[key] = rows.references.get(key, False) or joins
                elif canonical:  # one with its version is found without it too
                    rows.postings.add(base | (canonical & VALUE_MASK))
        if isinstance(identifier, dict) and isinstance(identifier.get("value"), str):
            system, code = identifier.get("system"), identifier["value"]
            rows.postings.add(posting(number, by_identifier(f"\x00{code}")))
            rows.postings.add(posting(number, by_identifier(f"{system or ''}|{code}")))

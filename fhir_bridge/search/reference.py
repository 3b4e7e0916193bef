"""Reference search parameters: who points to whom.

https://hl7.org/fhir/R4/search.html#reference.  A literal reference is indexed as ``Type/id``
when it is relative or below one of this server's own addresses, otherwise as it is written
(without the version); a logical one by its identifier.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from fhir_bridge.search.hashing import VALUE_BITS, VALUE_MASK, posting, text_key
from fhir_bridge.search.rows import IndexRows

__all__ = ["by_identifier", "extract", "local", "target_type"]

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


def target_type(text: str) -> str:
    """The resource type that a literal reference names, or ""."""
    match = _RELATIVE.search(text)
    return match[1] if match else ""


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
    for _, value in values:
        text = value.get("reference", _itself(value)) if isinstance(value, dict) else value
        if left and isinstance(text, str) and target_type(text) in left:
            continue
        if isinstance(text, str) and text and text[0] != "#":
            name, is_local = local(text, own_bases)
            key = text_key(name)
            rows.postings.add((number << VALUE_BITS) | (key & VALUE_MASK))
            if is_local:
                joins = member and name.startswith("Patient/")
                rows.references[key] = rows.references.get(key, False) or joins
            elif "|" in name:  # a canonical with its version is found without it too
                rows.postings.add(posting(number, name.partition("|")[0]))
        identifier = value.get("identifier") if isinstance(value, dict) else None
        if isinstance(identifier, dict) and isinstance(identifier.get("value"), str):
            system, code = identifier.get("system"), identifier["value"]
            rows.postings.add(posting(number, by_identifier(f"\x00{code}")))
            rows.postings.add(posting(number, by_identifier(f"{system or ''}|{code}")))

"""URI search parameters: exact, and by path with ``:below`` and ``:above``.

https://hl7.org/fhir/R4/search.html#uri
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fhir_bridge.search.hashing import posting
from fhir_bridge.search.rows import IndexRows

__all__ = ["above", "extract"]


LONGEST_TERM = 600
"""Characters of a URI that is kept in the dictionary; a longer one is found exactly only."""


def extract(values: Iterable[tuple[str, Any]], number: int, rows: IndexRows) -> None:
    """Adds a posting for each URI, and the URI to the dictionary."""
    for _, value in values:
        if isinstance(value, str) and value:
            term = posting(number, value)
            rows.postings.add(term)
            if len(value) <= LONGEST_TERM and "\x00" not in value:
                rows.terms.add((number, value, term))
            plain, bar, _ = value.partition("|")
            if bar:
                rows.postings.add(posting(number, plain))


def above(value: str) -> tuple[str, ...]:
    """`value` and every URI above it on its path.

    >>> above("http://acme.org/fhir/1")[:3]
    ('http://acme.org/fhir/1', 'http://acme.org/fhir', 'http://acme.org')
    """
    scheme, separator, path = value.partition("://")
    if not separator or scheme.lower() == "urn":
        return (value,)  # R4: of URLs, not of URNs
    steps = path.rstrip("/").split("/")
    found = [value]
    found += [f"{scheme}://{'/'.join(steps[:size])}" for size in range(len(steps), 0, -1)]
    found += [f"{text}/" for text in found[1:]]
    return tuple(dict.fromkeys(found))

"""Exact values: the row holds one of some postings.

https://hl7.org/fhir/R4/search.html#token, #reference, #uri and ``:exact`` strings
"""
# ruff: noqa: S608 (SQL is put together from fixed text; every value is a parameter)

from __future__ import annotations

from fhir_bridge.search.hashing import posting
from fhir_bridge.store.select.driving import Postings, each_posted
from fhir_bridge.store.select.scope import At, Scope
from fhir_bridge.store.session import Sql

__all__ = ["hashes", "posted"]

_MOST_LOOKED_UP = 64
"""Values that are looked up for each row; of more the rows are found first."""


def posted(scope: Scope, condition: Postings, at: At) -> Sql:
    """The row holds one of the values."""
    name = scope.name("q")
    values = hashes(scope, condition)
    where, parameters = scope.session.among(f"{name}.hash", values)
    if len(values) > _MOST_LOOKED_UP:
        return (
            f"{at.row} IN (SELECT {name}.row_id FROM posting {name} WHERE {where})",
            parameters,
        )
    return (
        (
            f"EXISTS (SELECT 1 FROM posting {name} WHERE {where}"
            f" AND {name}.date = {at.date} AND {name}.row_id = {at.row})"
        ),
        parameters,
    )


def hashes(scope: Scope, condition: Postings) -> list[int]:
    """The numbers of the postings, each once."""
    return list(
        dict.fromkeys(
            posting(scope.numbers[each.symbol], value)
            for each in each_posted(condition)
            for value in each.values
        )
    )

"""Exact values: the row holds one of some postings.

https://hl7.org/fhir/R4/search.html#token, #reference, #uri and ``:exact`` strings
"""
# ruff: noqa: S608 (SQL is put together from fixed text; every value is a parameter)

from __future__ import annotations

from fhir_bridge.database import Sql
from fhir_bridge.search.hashing import posting
from fhir_bridge.search.types.token_rows import LISTED, any_system, by_code, codes_listed
from fhir_bridge.store.select.driving import Postings, each_posted
from fhir_bridge.store.select.scope import At, Scope

__all__ = ["hashes", "posted"]

_MAX_LOOKUPS = 64
"""Values that are looked up for each row; of more the rows are found first."""


def posted(scope: Scope, condition: Postings, at: At) -> Sql:
    """The row holds one of the values."""
    name = scope.name("q")
    values = hashes(scope, condition)
    where, parameters = scope.session.among(f"{name}.hash", values)
    if len(values) > _MAX_LOOKUPS:
        return (
            f"{at.row} IN (SELECT {name}.row_id FROM posting {name} WHERE {where})",
            parameters,
        )
    if at.few:
        text = (
            f"1 = (SELECT 1 FROM posting {name} WHERE {where}"
            f" AND {name}.date = {at.date} AND {name}.row_id = {at.row} LIMIT 1)"
        )
        return text, parameters
    return (
        (
            f"EXISTS (SELECT 1 FROM posting {name} WHERE {where}"
            f" AND {name}.date = {at.date} AND {name}.row_id = {at.row})"
        ),
        parameters,
    )


def hashes(scope: Scope, condition: Postings) -> list[int]:
    """The numbers of the postings, each once."""
    numbers: dict[int, None] = {}
    for each in each_posted(condition):
        number = scope.numbers[each.symbol]
        for value in each.values:
            if value[:1] == LISTED:
                numbers.update(dict.fromkeys(_listed(scope, number, value[1:])))
            else:
                numbers[posting(number, value)] = None
    return list(numbers)


def _listed(scope: Scope, number: int, code: str) -> list[int]:
    """The postings of a code in every system that it was used with."""
    first, last = codes_listed(code.replace("\x00", ""))
    rows = scope.session.all(
        "SELECT hash FROM term WHERE number = ? AND value >= ? AND value < ?",
        (by_code(number), first, last),
    )
    return [row[0] for row in rows] or [posting(number, any_system(code))]

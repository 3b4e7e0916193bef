"""Whom a row refers to, who refers to it, and rows by logical id.

https://hl7.org/fhir/R4/search.html#chaining and #has.  What is at the other end passes the
same access as a match.
"""
# ruff: noqa: S608 (SQL is put together from fixed text; every value is a parameter)

from __future__ import annotations

from collections.abc import Callable

from fhir_bridge.database import Sql
from fhir_bridge.search import conditions
from fhir_bridge.search.hashing import VALUE_BITS, VALUE_MASK, resource_key, value_range
from fhir_bridge.store.select.scope import At, Scope

__all__ = ["chain", "has", "ids"]

Candidates = Callable[[str, conditions.Condition], Sql]
"""Visible current resources of a type that satisfy a condition: `Selector.candidates`."""


def ids(scope: Scope, condition: conditions.Ids, at: At) -> Sql:
    """The row is one of the resources with these ids."""
    name = scope.name("i")
    where, parameters = scope.session.among(
        f"{name}.key", [resource_key(condition.resource_type, each) for each in condition.ids]
    )
    return f"{at.row} IN (SELECT {name}.row_id FROM resource {name} WHERE {where})", parameters


def chain(scope: Scope, condition: conditions.Chain, at: At, candidates: Candidates) -> Sql:
    """The row refers to one of the candidates of some target type."""
    base = scope.numbers[condition.symbol] << VALUE_BITS
    queries, parameters = [], []
    for resource_type, wanted in condition.targets.items():
        inner, values = candidates(resource_type, wanted)
        c, t, q = scope.name("c"), scope.name("t"), scope.name("q")
        queries.append(
            f"SELECT {q}.row_id FROM ({inner}) {c} JOIN resource {t} ON {t}.row_id = {c}.row_id"
            f" JOIN posting {q} ON {q}.hash = ? + ({t}.key & ?)"
        )
        parameters += [*values, base, VALUE_MASK]
        url = scope.numbers.get(f"{resource_type}.url") if condition.canonical else None
        if url is not None:
            c, u, q = scope.name("c"), scope.name("u"), scope.name("q")
            queries.append(
                f"SELECT {q}.row_id FROM ({inner}) {c} JOIN posting {u} ON {u}.row_id = {c}.row_id"
                f" AND {u}.date = {c}.date AND {u}.hash BETWEEN ? AND ?"
                f" JOIN posting {q} ON {q}.hash = ? + ({u}.hash & ?)"
            )
            parameters += [*values, *value_range(url), base, VALUE_MASK]
    rows = scope.with_query((" UNION ALL ".join(queries), parameters))
    return f"{at.row} IN (SELECT row_id FROM {rows})", []


def has(scope: Scope, condition: conditions.Has, at: At, candidates: Candidates) -> Sql:
    """One of the candidates refers to the row."""
    base = scope.numbers[condition.symbol] << VALUE_BITS
    inner, values = candidates(condition.resource_type, condition.condition)
    c, f, q, k = scope.name("c"), scope.name("f"), scope.name("q"), scope.name("k")
    query = (
        f"SELECT {k}.row_id FROM ({inner}) {c}"
        f" JOIN reference {f} ON {f}.row_id = {c}.row_id"
        f" JOIN posting {q} ON {q}.hash = ? + ({f}.target & ?)"
        f" AND {q}.date = {c}.date AND {q}.row_id = {c}.row_id"
        f" JOIN resource {k} ON {k}.key = {f}.target"
    )
    parameters = [*values, base, VALUE_MASK]
    url = scope.numbers.get(f"{condition.canonical_of}.url")
    if url is not None:
        c, q, k = scope.name("c"), scope.name("q"), scope.name("k")
        query += (
            f" UNION ALL SELECT {k}.row_id FROM ({inner}) {c} JOIN posting {q}"
            f" ON {q}.row_id = {c}.row_id AND {q}.date = {c}.date AND {q}.hash BETWEEN ? AND ?"
            f" JOIN posting {k} ON {k}.hash = ? + ({q}.hash & ?)"
        )
        range_ = value_range(scope.numbers[condition.symbol])
        parameters += [*values, *range_, url << VALUE_BITS, VALUE_MASK]
    rows = scope.with_query((query, parameters))
    return f"{at.row} IN (SELECT row_id FROM {rows})", []

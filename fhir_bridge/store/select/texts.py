"""Strings by start or content, terms of the dictionary, and what a whole body says.

https://hl7.org/fhir/R4/search.html#string
"""
# ruff: noqa: S608 (SQL is put together from fixed text; every value is a parameter)

from __future__ import annotations

from fhir_bridge.database import Sql, lower_text
from fhir_bridge.search import conditions
from fhir_bridge.store.select.scope import At, Scope

__all__ = ["content", "term", "text", "with_content"]

_LAST = "\U0010ffff"


def text(scope: Scope, condition: conditions.Text) -> Sql:
    """Rows with a folded string that starts with, contains, ends with or is the text."""
    key, value = scope.key(condition.symbol, condition.context), condition.value
    head = "SELECT row_id FROM string_value WHERE key = ? AND "
    match condition.how:
        case "starts":
            return head + "value >= ? AND value < ?", [key, value, value + _LAST]
        case "equals":
            return head + "value = ? AND derived = 0", [key, value]
        case "ends":
            ends, parameters = _ends("value", value)
            return f"{head}{ends} AND derived = 0", [key, *parameters]
    return head + scope.session.contains("value"), [key, value]


def term(scope: Scope, condition: conditions.Term) -> Sql:
    """Rows that hold a posting of the terms that the dictionary lists."""
    number = scope.numbers[condition.symbol] * (-1 if condition.coded else 1)
    value = condition.value.replace("\x00", "")
    head = "SELECT q.row_id FROM term t JOIN posting q ON q.hash = t.hash WHERE t.number = ? AND "
    match condition.how:
        case "contains":
            return head + scope.session.contains("t.value"), [number, value]
        case "ends":
            ends, parameters = _ends("t.value", value)
            return head + ends, [number, *parameters]
        case "below":
            below = value.rstrip("/") + "/"
            return (
                head + "(t.value = ? OR (t.value >= ? AND t.value < ?))",
                [number, value, below, below + _LAST],
            )
    return head + "t.value >= ? AND t.value < ?", [number, value, value + _LAST]


def _ends(column: str, value: str) -> Sql:
    size = len(value)
    return (
        f"length({column}) >= ? AND substr({column}, length({column}) - ? + 1) = ?",
        [size, size, value],
    )


def content(scope: Scope, condition: conditions.Content, at: At) -> Sql:
    """The stored body of the row contains the text."""
    name = scope.name("u")
    body = scope.session.body_text(name)
    if body is None:
        holding = _holding(scope, ("SELECT row_id FROM resource", []), condition)
        return scope.session.among(at.row, holding) if holding else ("1=0", [])
    contains = scope.session.contains(body)
    return (
        f"EXISTS (SELECT 1 FROM resource {name} WHERE {name}.row_id = {at.row} AND {contains})",
        [_lower(condition)],
    )


def with_content(scope: Scope, candidates: Sql, condition: conditions.Content) -> Sql:
    """Those of `candidates` whose body contains the text, where only this process can read it."""
    name = scope.name("c")
    holding = _holding(scope, candidates, condition)
    among, parameters = scope.session.among(f"{name}.row_id", holding) if holding else ("1=0", [])
    return (
        f"SELECT {name}.row_id, {name}.date FROM ({candidates[0]}) {name} WHERE {among}",
        [*candidates[1], *parameters],
    )


def _holding(scope: Scope, rows: Sql, condition: conditions.Content) -> list[int]:
    """The numbers of the rows whose body contains the text."""
    value = _lower(condition)
    bodies = scope.session.stream(
        f"SELECT b.row_id, b.compressed, b.body FROM ({rows[0]}) AS c"
        " JOIN resource b ON b.row_id = c.row_id",
        rows[1],
    )
    return [row_id for row_id, how, body in bodies if value in lower_text(how, body)]


def _lower(condition: conditions.Content) -> str:
    return condition.value.replace("\x00", "").lower()

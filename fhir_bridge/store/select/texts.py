"""Strings by start or content, terms of the dictionary, and what a whole body says.

https://hl7.org/fhir/R4/search.html#string
"""
# ruff: noqa: S608 (SQL is put together from fixed text; every value is a parameter)

from __future__ import annotations

from fhir_bridge.search import conditions as asked
from fhir_bridge.store.select.scope import At, Scope
from fhir_bridge.store.session import Sql

__all__ = ["content", "term", "text"]

_LAST = "\U0010ffff"


def text(scope: Scope, condition: asked.Text) -> Sql:
    """Rows with a folded string that starts with, or contains, the text."""
    key, value = scope.key(condition.symbol, condition.context), condition.value
    if condition.how == "starts":
        return (
            "SELECT row_id FROM string_value WHERE key = ? AND value >= ? AND value < ?",
            [key, value, value + _LAST],
        )
    contains = scope.session.contains("value")
    return f"SELECT row_id FROM string_value WHERE key = ? AND {contains}", [key, value]


def term(scope: Scope, condition: asked.Term) -> Sql:
    """Rows that hold a posting of the terms found in the dictionary."""
    number = scope.numbers[condition.symbol] * (-1 if condition.coded else 1)
    value = condition.value.replace("\x00", "")
    head = "SELECT q.row_id FROM term t JOIN posting q ON q.hash = t.hash WHERE t.number = ? AND "
    if condition.how == "contains":
        return head + scope.session.contains("t.value"), [number, value]
    if condition.how == "below":
        below = value.rstrip("/") + "/"
        return (
            head + "(t.value = ? OR (t.value >= ? AND t.value < ?))",
            [number, value, below, below + _LAST],
        )
    return head + "t.value >= ? AND t.value < ?", [number, value, value + _LAST]


def content(scope: Scope, condition: asked.Content, at: At) -> Sql:
    """The stored body of the row contains the text."""
    name = scope.name("u")
    contains = scope.session.contains(scope.session.body_text(f"{name}.body"))
    return (
        f"EXISTS (SELECT 1 FROM resource {name} WHERE {name}.row_id = {at.row} AND {contains})",
        [condition.value.replace("\x00", "").lower()],
    )

"""Filtering, projection, subsetting and combining.

http://hl7.org/fhirpath/N1/#filtering-and-projection, #subsetting, #combining
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cmp_to_key
from typing import Any

from fhir_bridge.budget import Evaluation
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhirpath.evaluation import Closure, Context, boolean, integer, one
from fhir_bridge.fhirpath.functions.operators import compare_items
from fhir_bridge.fhirpath.functions.registry import function
from fhir_bridge.fhirpath_values import distinct, equal_items, key_of, value_of

__all__ = ["SortKey", "each"]


def each(focus: list[Any], context: Context, closure: Closure) -> Iterator[list[Any]]:
    """The closure's result for every item, with ``$this`` and ``$index`` set."""
    outer = (context.this, context.index)
    context.budget.spend(len(focus))
    try:
        for index, item in enumerate(focus):
            context.this = this = [item]
            context.index = index
            yield closure(this, context)
    finally:
        context.this, context.index = outer


@function("where", 1, style="lambda")
def _where(focus: list[Any], context: Context, criteria: Closure) -> list[Any]:
    answers = [
        boolean(found, "the criteria of where()") for found in each(focus, context, criteria)
    ]
    return [item for item, answer in zip(focus, answers, strict=True) if answer]


@function("select", 1, style="lambda")
def _select(focus: list[Any], context: Context, projection: Closure) -> list[Any]:
    out: list[Any] = []
    for found in each(focus, context, projection):
        context.budget.items(len(found))
        out += found
    return out


@function("repeat", 1, style="lambda")
def _repeat(focus: list[Any], context: Context, projection: Closure) -> list[Any]:
    """Each result once, projections of results included."""
    out: list[Any] = []
    seen: set[Any] = set()
    pending = focus
    while pending:
        fresh: list[Any] = []
        for found in each(pending, context, projection):
            context.budget.items(len(found))
            fresh += found
        pending = []
        for item in fresh:
            key = key_of(item, context)
            if key is None:
                context.budget.spend(len(out))
                if any(equal_items(item, other, context) is True for other in out):
                    continue
            elif key in seen:
                continue
            else:
                seen.add(key)
            out.append(item)
            pending.append(item)
    return out


@function("repeatAll", 1, style="lambda")
def _repeat_all(focus: list[Any], context: Context, projection: Closure) -> list[Any]:
    """As ``repeat`` but keeps repetitions."""
    out: list[Any] = []
    pending = focus
    while pending:
        fresh: list[Any] = []
        for found in each(pending, context, projection):
            context.budget.items(len(found))
            fresh += found
        out += fresh
        pending = fresh
    return out


@function("first")
def _first(focus: list[Any], _context: Context) -> list[Any]:
    return focus[:1]


@function("last")
def _last(focus: list[Any], _context: Context) -> list[Any]:
    return focus[-1:]


@function("tail")
def _tail(focus: list[Any], _context: Context) -> list[Any]:
    return focus[1:]


@function("single")
def _single(focus: list[Any], _context: Context) -> list[Any]:
    one(focus, "single()")
    return focus


@function("skip", 1)
def _skip(focus: list[Any], _context: Context, number: list[Any]) -> list[Any]:
    count = integer(number, "skip()")
    return [] if count is None else focus[max(0, count) :]


@function("take", 1)
def _take(focus: list[Any], _context: Context, number: list[Any]) -> list[Any]:
    count = integer(number, "take()")
    return [] if count is None else focus[: max(0, count)]


class _Others:
    """A collection that items are looked for in: by key where keys tell, else one by one."""

    def __init__(self, others: list[Any], evaluation: Evaluation) -> None:
        evaluation.budget.items(len(others))
        keys = [key_of(other, evaluation) for other in others]
        self.others = others
        self.evaluation = evaluation
        self.keys = {key for key in keys if key is not None}
        self.loose = [other for other, key in zip(others, keys, strict=True) if key is None]

    def holds(self, item: Any) -> bool:
        key = key_of(item, self.evaluation)
        if key is not None and key in self.keys:
            return True
        candidates = self.others if key is None else self.loose
        self.evaluation.budget.spend(1 + len(candidates))
        return any(equal_items(item, other, self.evaluation) is True for other in candidates)


@function("intersect", 1)
def _intersect(focus: list[Any], context: Context, others: list[Any]) -> list[Any]:
    among = _Others(others, context)
    return distinct(filter(among.holds, focus), context)


@function("exclude", 1)
def _exclude(focus: list[Any], context: Context, others: list[Any]) -> list[Any]:
    among = _Others(others, context)
    return [item for item in focus if not among.holds(item)]


@function("union", 1)
def _union(focus: list[Any], context: Context, others: list[Any]) -> list[Any]:
    context.budget.items(len(focus) + len(others))
    return distinct([*focus, *others], context)


@function("combine", 1, 2)
def _combine(
    focus: list[Any], context: Context, others: list[Any], _keep_order: object = None
) -> list[Any]:
    context.budget.items(len(focus) + len(others))
    return [*focus, *others]


@function("coalesce", 1, 50, style="lambda")
def _coalesce(_focus: list[Any], context: Context, *choices: Closure) -> list[Any]:
    for choice in choices:
        found = choice(context.this, context)
        if found:
            return found
    return []


@dataclass(frozen=True, slots=True)
class SortKey:
    """A key of ``sort()``: `sign` -1 reverses its values, `direction` -1 the whole order."""

    closure: Closure
    sign: int = 1
    direction: int = 1


_ITSELF = SortKey(lambda focus, _context: focus)


@function("sort", 0, 20, style="lambda")
def _sort(focus: list[Any], context: Context, *keys: SortKey) -> list[Any]:
    """Sorted by the keys in turn; an empty key is the lowest (the compiler gives the keys)."""
    keys = keys or (_ITSELF,)
    columns = [list(each(focus, context, key.closure)) for key in keys]
    rows = [
        ([one(column[place], "a key of sort()") for column in columns], item)
        for place, item in enumerate(focus)
    ]

    def order(left: tuple[list[Any], Any], right: tuple[list[Any], Any]) -> int:
        for first, second, key in zip(left[0], right[0], keys, strict=True):
            found = key.direction * _key_order(first, second, key.sign)
            if found:
                return found
        return 0

    context.budget.spend(len(rows) * 20)
    return [item for _, item in sorted(rows, key=cmp_to_key(order))]


def _key_order(left: Any, right: Any, sign: int) -> int:
    if left is None or right is None:
        return (right is None) - (left is None)
    if value_of(left) is None or value_of(right) is None:
        raise BridgeError("FB-2005", reason="sort() takes keys that have an order")
    return sign * (compare_items(left, right) or 0)

"""Intervals: where a date lies, of any parameter and of the main date that rows are sorted by.

https://hl7.org/fhir/R4/search.html#date
"""
# ruff: noqa: S608 (SQL is put together from fixed text; every value is a parameter)

from __future__ import annotations

from fhir_bridge.database import Sql
from fhir_bridge.search import conditions
from fhir_bridge.store.select.bounds import bounds
from fhir_bridge.store.select.scope import At, Scope

__all__ = ["between", "hulls", "of_row", "updated"]

_DAY = 864_000_000_000
"""Ticks of a day: a regular interval is shorter."""


def between(scope: Scope, condition: conditions.Between) -> Sql:
    """Regular intervals are at most a day wide, so that their start bounds a search."""
    low, high = condition.low_min, condition.low_max
    where, parameters = bounds(
        [("low", low, high), ("high", condition.high_min, condition.high_max)]
    )
    head = "SELECT row_id FROM date_value WHERE key = ?"
    if condition.context:
        return head + where, [scope.key(condition.symbol, condition.context), *parameters]
    number = scope.numbers[condition.symbol]
    near_low = condition.high_min - _DAY if condition.high_min is not None else None
    near, near_parameters = bounds([("low", near_low, condition.high_max)])
    return (
        f"{head}{where}{near} UNION ALL {head}{where}",
        [number, *parameters, *near_parameters, -number, *parameters],
    )


def of_row(scope: Scope, condition: conditions.Between, at: At) -> Sql | None:
    """The row has such an interval, where the intervals of a row are at hand; None elsewhere."""
    if condition.symbol in scope.main_dates:
        return _main_date(scope, condition, at)
    if condition.symbol in scope.rights.registry.kept_by_row and not condition.context:
        return _by_row(scope, condition, at)
    return None


def _by_row(scope: Scope, condition: conditions.Between, at: At) -> Sql:
    """The row has such an interval, of a parameter whose intervals are kept by row as well."""
    name = scope.name("d")
    where, parameters = bounds(
        [
            (f"{name}.low", condition.low_min, condition.low_max),
            (f"{name}.high", condition.high_min, condition.high_max),
        ]
    )
    text = f"{name}.row_id = {at.row} AND {name}.key = ?{where}"
    return (
        f"EXISTS (SELECT 1 FROM span {name} WHERE {text})",
        [scope.numbers[condition.symbol], *parameters],
    )


def _main_date(scope: Scope, condition: conditions.Between, at: At) -> Sql:
    """A regular interval of the main date begins at the row's own sort date.

    A single value and not EXISTS, so that no planner takes it for a join: it costs one
    look-up a row, which PostgreSQL does not see.
    """
    name, number = scope.name("d"), scope.numbers[condition.symbol]
    low, high = f"{name}.low", f"{name}.high"
    where, parameters = bounds(
        [
            (low, condition.low_min, condition.low_max),
            (high, condition.high_min, condition.high_max),
        ]
    )
    text = (
        f"1 = (SELECT 1 FROM date_value {name} WHERE {name}.key = ?"
        f" AND {low} BETWEEN {at.date} * 10000 AND {at.date} * 10000 + 9999"
        f" AND {name}.row_id = {at.row}{where} LIMIT 1)"
    )
    if not scope.has_irregular(condition.symbol):
        return text, [number, *parameters]
    where, more = bounds(
        [
            ("low", condition.low_min, condition.low_max),
            ("high", condition.high_min, condition.high_max),
        ]
    )
    return (
        f"({text} OR {at.row} IN (SELECT row_id FROM date_value WHERE key = ?{where}))",
        [number, *parameters, -number, *more],
    )


def updated(scope: Scope, condition: conditions.Updated, at: At) -> Sql:
    """The row was written within the bounds."""
    name = scope.name("u")
    where, parameters = bounds([(f"{name}.last_updated", condition.low, condition.high)])
    return (
        f"EXISTS (SELECT 1 FROM resource {name} WHERE {name}.row_id = {at.row}{where})",
        parameters,
    )


def hulls(scope: Scope, parts: list[conditions.Condition], at: At) -> list[Sql]:
    """Bounds on the sort date that conditions on the main date imply, for the index."""
    bounded = []
    for part in parts:
        each = part.conditions if isinstance(part, conditions.AnyOf) else (part,)
        between = [one for one in each if isinstance(one, conditions.Between)]
        symbols = {one.symbol for one in between}
        if not between or len(between) < len(each) or not symbols <= scope.main_dates:
            continue
        if any(scope.has_irregular(symbol) for symbol in symbols):
            continue
        text, parameters = bounds([(at.date, *_hull(between))])
        if text:
            bounded.append((text.removeprefix(" AND "), parameters))
    return bounded


def _hull(between: list[conditions.Between]) -> tuple[int | None, int | None]:
    """The least and greatest sort date (milliseconds) that any of the conditions allows."""
    lows: list[int | None] = []
    highs: list[int | None] = []
    for each in between:
        near = None if each.high_min is None else each.high_min - _DAY
        starts = [one for one in (each.low_min, near) if one is not None]
        ends = [one for one in (each.low_max, each.high_max) if one is not None]
        lows.append(max(starts) // 10_000 if starts else None)
        highs.append(min(ends) // 10_000 if ends else None)
    low = None if None in lows else min(one for one in lows if one is not None)
    high = None if None in highs else max(one for one in highs if one is not None)
    return low, high

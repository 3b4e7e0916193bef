"""Which condition a type's rows are found by: the one likely to narrow most.

Conditions on postings are ranked by what their parameter is for; there are no statistics.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeGuard

from fhir_bridge.search import conditions

__all__ = [
    "Postings",
    "allows_generic_plan",
    "conjuncts",
    "driver_of",
    "each_posted",
    "is_posted",
    "merged",
    "names_few",
]

Postings = conditions.Posted | conditions.AnyOf
"""A condition on postings: of one index, or alternatives of several (`is_posted`)."""


def conjuncts(condition: conditions.Condition) -> list[conditions.Condition]:
    """The parts that must all hold; alternatives under one index as one."""
    parts = list(condition.conditions) if isinstance(condition, conditions.AllOf) else [condition]
    flat: list[conditions.Condition] = []
    for part in parts:
        if isinstance(part, conditions.AllOf):
            flat += conjuncts(part)
        elif isinstance(part, conditions.AnyOf):
            each = merged(part.conditions)
            flat.append(each[0] if len(each) == 1 else replace(part, conditions=tuple(each)))
        else:
            flat.append(part)
    return flat


def merged(parts: Sequence[conditions.Condition]) -> list[conditions.Condition]:
    """Alternatives, with the postings of one symbol made one condition."""
    values: dict[str, list[str]] = {}
    others: list[conditions.Condition] = []
    for part in parts:
        if isinstance(part, conditions.Posted):
            values.setdefault(part.symbol, []).extend(part.values)
        else:
            others.append(part)
    return [*(conditions.Posted(symbol, tuple(each)) for symbol, each in values.items()), *others]


def is_posted(condition: conditions.Condition) -> TypeGuard[Postings]:
    """Whether a condition is about postings only, of one index or of several."""
    if isinstance(condition, conditions.AnyOf):
        parts = condition.conditions
        return bool(parts) and all(isinstance(part, conditions.Posted) for part in parts)
    return isinstance(condition, conditions.Posted)


def each_posted(condition: Postings) -> Sequence[conditions.Posted]:
    """The postings of each index that the condition is about."""
    if isinstance(condition, conditions.Posted):
        return (condition,)
    return [part for part in condition.conditions if isinstance(part, conditions.Posted)]


def allows_generic_plan(condition: conditions.Condition) -> bool:
    """Whether one plan suits every value: a single posting, or tests of a few rows by key."""
    parts = conjuncts(condition)
    if len(parts) == 1:
        return isinstance(parts[0], conditions.Posted)
    if not all(is_posted(part) for part in parts):
        return False
    driver = driver_of(parts)
    return driver is not None and names_few(driver)


def names_few(driver: Postings) -> bool:
    """Whether few rows have the value: what one identifier names, what one patient has."""
    return all(
        _rank_of_one(each) == 0 or all(value.startswith("Patient/") for value in each.values)
        for each in each_posted(driver)
    )


def driver_of(parts: list[conditions.Condition]) -> Postings | None:
    """The postings to start from, unless another kind of condition selects better."""
    posted = [part for part in parts if is_posted(part)]
    if not posted:
        return None
    best = min(posted, key=_rank)
    rivals = (conditions.Ids, conditions.Text, conditions.Chain, conditions.Has)
    if _rank(best) > 1 and any(isinstance(part, rivals) for part in parts):
        return None
    if any(isinstance(part, conditions.Ids) for part in parts):
        return None
    return best


def _rank(condition: Postings) -> int:
    """How far postings are likely to narrow (small: far)."""
    return max(_rank_of_one(each) for each in each_posted(condition))


def _rank_of_one(condition: conditions.Posted) -> int:
    code = condition.symbol.partition(".")[2]
    if code in ("identifier", "url"):
        return 0
    value = condition.values[0]
    if "/" in value and value[:1].isupper():
        return 1
    if value.startswith("\x04"):
        return 1
    if code in (
        "status",
        "gender",
        "active",
        "category",
        "intent",
        "class",
        "deceased",
        "_profile",
    ):
        return 4
    return 3 if code.startswith("_") else 2

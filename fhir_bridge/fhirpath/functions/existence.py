"""Existence functions (http://hl7.org/fhirpath/N1/#existence)."""

from __future__ import annotations

from typing import Any

from fhir_bridge.budget import Evaluation
from fhir_bridge.fhirpath.evaluation import Closure, Context, boolean, kind_of
from fhir_bridge.fhirpath.functions.filtering import each
from fhir_bridge.fhirpath.functions.registry import function
from fhir_bridge.fhirpath_values import distinct, equal_items, fail, key_of, value_of

__all__ = ["subset"]


@function("empty")
def _empty(focus: list[Any], _context: Context) -> list[Any]:
    return [not focus]


@function("exists", 0, 1, style="lambda")
def _exists(focus: list[Any], context: Context, criteria: Closure | None = None) -> list[Any]:
    if criteria is None:
        return [bool(focus)]
    return [
        any(boolean(found, "the criteria of exists()") for found in each(focus, context, criteria))
    ]


@function("all", 1, style="lambda")
def _all(focus: list[Any], context: Context, criteria: Closure) -> list[Any]:
    return [
        all(boolean(found, "the criteria of all()") for found in each(focus, context, criteria))
    ]


def _booleans(focus: list[Any], name: str) -> list[bool]:
    values = [value_of(item) for item in focus]
    for item, value in zip(focus, values, strict=True):
        if not isinstance(value, bool):
            raise fail(f"{name}() takes booleans, not {kind_of(item)}")
    return values


@function("allTrue")
def _all_true(focus: list[Any], _context: Context) -> list[Any]:
    return [all(_booleans(focus, "allTrue"))]


@function("anyTrue")
def _any_true(focus: list[Any], _context: Context) -> list[Any]:
    return [any(_booleans(focus, "anyTrue"))]


@function("allFalse")
def _all_false(focus: list[Any], _context: Context) -> list[Any]:
    return [not any(_booleans(focus, "allFalse"))]


@function("anyFalse")
def _any_false(focus: list[Any], _context: Context) -> list[Any]:
    return [not all(_booleans(focus, "anyFalse"))]


def subset(items: list[Any], others: list[Any], evaluation: Evaluation) -> bool:
    """Whether every item is equal to one of the others."""
    evaluation.budget.spend(len(items) + len(others))
    keys = [key_of(other, evaluation) for other in others]
    known = {key for key in keys if key is not None}
    loose = [other for other, key in zip(others, keys, strict=True) if key is None]
    for item in items:
        key = key_of(item, evaluation)
        if key is not None and key in known:
            continue
        candidates = others if key is None else loose
        evaluation.budget.spend(len(candidates))
        if not any(equal_items(item, other, evaluation) is True for other in candidates):
            return False
    return True


@function("subsetOf", 1)
def _subset_of(focus: list[Any], context: Context, others: list[Any]) -> list[Any]:
    return [subset(focus, others, context)]


@function("supersetOf", 1)
def _superset_of(focus: list[Any], context: Context, others: list[Any]) -> list[Any]:
    return [subset(others, focus, context)]


@function("count")
def _count(focus: list[Any], _context: Context) -> list[Any]:
    return [len(focus)]


@function("distinct")
def _distinct(focus: list[Any], context: Context) -> list[Any]:
    context.budget.items(len(focus))
    return distinct(focus, context)


@function("isDistinct")
def _is_distinct(focus: list[Any], context: Context) -> list[Any]:
    context.budget.items(len(focus))
    return [len(distinct(focus, context)) == len(focus)]


@function("not")
def _not(focus: list[Any], _context: Context) -> list[Any]:
    answer = boolean(focus, "the input of not()")
    return [] if answer is None else [not answer]

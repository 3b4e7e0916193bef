"""Operators that compare, test and combine (http://hl7.org/fhirpath/N1/#operations)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fhir_bridge.budget import Evaluation
from fhir_bridge.fhirpath.evaluation import kind_of, one
from fhir_bridge.fhirpath.functions.arithmetic import ARITHMETIC, as_quantity, extension_only
from fhir_bridge.fhirpath_values import (
    Node,
    Quantity,
    Temporal,
    compare,
    equal,
    equal_items,
    equivalent,
    fail,
    is_quantity,
    order_as_written,
    temporal_pair,
    value_of,
)

__all__ = ["BINARY", "LOGIC", "compare_items"]

Collection = list[Any]


def _truth(answer: bool | None) -> Collection:
    return [] if answer is None else [answer]


def _equals(left: Collection, right: Collection, evaluation: Evaluation) -> Collection:
    return _truth(equal(left, right, evaluation))


def _differs(left: Collection, right: Collection, evaluation: Evaluation) -> Collection:
    answer = equal(left, right, evaluation)
    return [] if answer is None else [not answer]


def _equivalent(left: Collection, right: Collection, evaluation: Evaluation) -> Collection:
    return [equivalent(left, right, evaluation)]


def _not_equivalent(left: Collection, right: Collection, evaluation: Evaluation) -> Collection:
    return [not equivalent(left, right, evaluation)]


def compare_items(left: Any, right: Any) -> int | None:
    """Order of two items: -1, 0, 1; None when it is open; FB-2005 when there is none."""
    one_value, other = value_of(left), value_of(right)
    if one_value is None or other is None:
        if extension_only(left) or extension_only(right):
            return None
        if _is_quantity(left) and _is_quantity(right):
            both = type(left) is Node and type(right) is Node
            return order_as_written(left.value, right.value) if both else None
        raise fail(f"{kind_of(left)} and {kind_of(right)} have no order")
    if isinstance(one_value, Temporal) or isinstance(other, Temporal):
        pair = temporal_pair(left, right)
        if pair is None or (pair[0].kind == "time") != (pair[1].kind == "time"):
            raise fail(f"{kind_of(left)} and {kind_of(right)} have no order")
        return compare(*pair)
    if isinstance(one_value, Quantity) or isinstance(other, Quantity):
        first, second = as_quantity(one_value), as_quantity(other)
        if first is None or second is None:
            raise fail(f"{kind_of(left)} and {kind_of(right)} have no order")
        return first.compare(second)
    if isinstance(one_value, bool) or isinstance(other, bool):
        raise fail("booleans have no order")
    if isinstance(one_value, str) != isinstance(other, str):
        raise fail(f"{kind_of(left)} and {kind_of(right)} have no order")
    return int(one_value > other) - int(one_value < other)


def _is_quantity(item: Any) -> bool:
    if type(item) is Node:
        return is_quantity(item.value, item.type_name)
    return isinstance(item, Quantity)


def _ordered(symbol: str, test: Callable[[int], bool]) -> Callable[..., Collection]:
    def apply(left: Collection, right: Collection, _evaluation: Evaluation) -> Collection:
        if not left or not right:
            return []
        order = compare_items(
            one(left, f"the left side of {symbol}"), one(right, f"the right side of {symbol}")
        )
        return [] if order is None else [test(order)]

    return apply


def _contained(left: Collection, right: Collection, evaluation: Evaluation) -> Collection:
    if not left:
        return []
    item = one(left, "the left side of in")
    if len(right) > 1:
        evaluation.budget.spend(len(right))
    return [any(equal_items(item, other, evaluation) is True for other in right)]


def _contains(left: Collection, right: Collection, evaluation: Evaluation) -> Collection:
    if not right:
        return []
    item = one(right, "the right side of contains")
    if len(left) > 1:
        evaluation.budget.spend(len(left))
    return [any(equal_items(item, other, evaluation) is True for other in left)]


def _concatenate(left: Collection, right: Collection, evaluation: Evaluation) -> Collection:
    first, second = _text(left), _text(right)
    evaluation.budget.text(len(first) + len(second))
    return [first + second]


def _text(items: Collection) -> str:
    value = value_of(one(items, "a side of &"))
    if value is None:
        return ""
    if isinstance(value, (str, Temporal)):
        return str(value)
    raise fail(f"& takes strings, not {kind_of(items[0])}")


def _and(left: bool | None, right: Callable[[], bool | None]) -> bool | None:
    if left is False:
        return False
    other = right()
    if other is False:
        return False
    return True if left and other else None


def _or(left: bool | None, right: Callable[[], bool | None]) -> bool | None:
    if left:
        return True
    other = right()
    if other:
        return True
    return False if left is False and other is False else None


def _xor(left: bool | None, right: Callable[[], bool | None]) -> bool | None:
    other = right()
    return None if left is None or other is None else left != other


def _implies(left: bool | None, right: Callable[[], bool | None]) -> bool | None:
    if left is False:
        return True
    other = right()
    if other:
        return True
    return None if left is None else other


LOGIC: dict[str, Callable[[bool | None, Callable[[], bool | None]], bool | None]] = {
    "and": _and,
    "or": _or,
    "xor": _xor,
    "implies": _implies,
}

BINARY: dict[str, Callable[[Collection, Collection, Evaluation], Collection]] = {
    "=": _equals,
    "!=": _differs,
    "~": _equivalent,
    "!~": _not_equivalent,
    "<": _ordered("<", lambda order: order < 0),
    ">": _ordered(">", lambda order: order > 0),
    "<=": _ordered("<=", lambda order: order <= 0),
    ">=": _ordered(">=", lambda order: order >= 0),
    "in": _contained,
    "contains": _contains,
    "&": _concatenate,
    **ARITHMETIC,
}

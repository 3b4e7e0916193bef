"""Operators on collections (http://hl7.org/fhirpath/N1/#operations)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_DOWN, Decimal, localcontext
from decimal import Context as DecimalContext
from typing import Any

from fhir_bridge.fhirpath.equality import (
    equal,
    equal_items,
    equivalent,
    temporal_pair,
)
from fhir_bridge.fhirpath.evaluation import LONGEST, fail, kind_of, one
from fhir_bridge.fhirpath.node import Node, value_of
from fhir_bridge.fhirpath.quantity import Quantity
from fhir_bridge.fhirpath.temporal import Long, Temporal, add, compare

__all__ = ["BINARY", "LOGIC", "compare_items", "negate", "number_result"]

_CONTEXT = DecimalContext(prec=34)
Collection = list[Any]


def _truth(answer: bool | None) -> Collection:
    return [] if answer is None else [answer]


def _equals(left: Collection, right: Collection) -> Collection:
    return _truth(equal(left, right))


def _differs(left: Collection, right: Collection) -> Collection:
    answer = equal(left, right)
    return [] if answer is None else [not answer]


def _equivalent(left: Collection, right: Collection) -> Collection:
    return [equivalent(left, right)]


def _not_equivalent(left: Collection, right: Collection) -> Collection:
    return [not equivalent(left, right)]


def compare_items(left: Any, right: Any) -> int | None:
    """Order of two items: -1, 0, 1; None when it is open; FB-2005 when there is none."""
    one_value, other = value_of(left), value_of(right)
    if one_value is None or other is None:
        if _extension_only(left) or _extension_only(right):
            return None
        raise fail(f"{kind_of(left)} and {kind_of(right)} have no order")
    if isinstance(one_value, Temporal) or isinstance(other, Temporal):
        pair = temporal_pair(left, right)
        if pair is None or (pair[0].kind == "time") != (pair[1].kind == "time"):
            raise fail(f"{kind_of(left)} and {kind_of(right)} have no order")
        return compare(*pair)
    if isinstance(one_value, Quantity) or isinstance(other, Quantity):
        first, second = _as_quantity(one_value), _as_quantity(other)
        if first is None or second is None:
            raise fail(f"{kind_of(left)} and {kind_of(right)} have no order")
        return first.compare(second)
    if isinstance(one_value, bool) or isinstance(other, bool):
        raise fail("booleans have no order")
    if isinstance(one_value, str) != isinstance(other, str):
        raise fail(f"{kind_of(left)} and {kind_of(right)} have no order")
    return int(one_value > other) - int(one_value < other)


def _extension_only(item: Any) -> bool:
    return type(item) is Node and item.value is None


def _as_quantity(value: Any) -> Quantity | None:
    if isinstance(value, Quantity):
        return value
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        return Quantity(Decimal(value))
    return None


def _ordered(symbol: str, test: Callable[[int], bool]) -> Callable[..., Collection]:
    def apply(left: Collection, right: Collection) -> Collection:
        if not left or not right:
            return []
        order = compare_items(
            one(left, f"the left side of {symbol}"), one(right, f"the right side of {symbol}")
        )
        return [] if order is None else [test(order)]

    return apply


def _contained(left: Collection, right: Collection) -> Collection:
    if not left:
        return []
    item = one(left, "the left side of in")
    return [any(equal_items(item, other) is True for other in right)]


def _contains(left: Collection, right: Collection) -> Collection:
    if not right:
        return []
    item = one(right, "the right side of contains")
    return [any(equal_items(item, other) is True for other in left)]


def _concatenate(left: Collection, right: Collection) -> Collection:
    first, second = _text(left), _text(right)
    return [_bounded(first + second)]


def _text(items: Collection) -> str:
    value = value_of(one(items, "a side of &"))
    if value is None:
        return ""
    if isinstance(value, (str, Temporal)):
        return str(value)
    raise fail(f"& takes strings, not {kind_of(items[0])}")


def _bounded(text: str) -> str:
    if len(text) > LONGEST:
        raise fail(f"the string is longer than {LONGEST} characters")
    return text


def number_result(value: Decimal) -> Decimal:
    """A decimal without needless zeros behind the point, never with an exponent below zero scale."""
    if not value.is_finite():
        raise fail("the number is out of range")
    return value


def _operands(symbol: str, left: Collection, right: Collection) -> tuple[Any, Any] | None:
    """The two System values; None when one is empty."""
    first = value_of(one(left, f"the left side of {symbol}"))
    second = value_of(one(right, f"the right side of {symbol}"))
    for items, value in ((left, first), (right, second)):
        if value is None and items and not _extension_only(items[0]):
            raise fail(f"{symbol} cannot take {kind_of(items[0])}")
    return None if first is None or second is None else (first, second)


def _numbers(first: Any, second: Any) -> bool:
    return (
        isinstance(first, (int, Decimal))
        and isinstance(second, (int, Decimal))
        and not isinstance(first, bool)
        and not isinstance(second, bool)
    )


def _like(first: Any, second: Any, value: Any) -> Any:
    """An integer result is Long when a side was, and Decimal past 64 bits."""
    if isinstance(value, int) and abs(value) > 2**63:
        return Decimal(value)
    return Long(value) if isinstance(first, Long) or isinstance(second, Long) else value


def _plus(left: Collection, right: Collection) -> Collection:
    return _sum("+", left, right, 1)


def _minus(left: Collection, right: Collection) -> Collection:
    return _sum("-", left, right, -1)


def _sum(symbol: str, left: Collection, right: Collection, sign: int) -> Collection:
    pair = _operands(symbol, left, right)
    if pair is None:
        return []
    first, second = pair
    if isinstance(first, str) and isinstance(second, str) and sign > 0:
        return [_bounded(first + second)]
    if _numbers(first, second):
        if isinstance(first, int) and isinstance(second, int):
            return [_like(first, second, int(first) + sign * int(second))]
        with localcontext(_CONTEXT):
            return [number_result(Decimal(first) + sign * Decimal(second))]
    if isinstance(second, Temporal) and isinstance(first, Quantity) and sign > 0:
        first, second = second, first
    if isinstance(first, Temporal) and isinstance(second, Quantity):
        return _shifted(first, second, sign)
    one_quantity, other = _as_quantity(first), _as_quantity(second)
    if one_quantity is None or other is None:
        raise fail(f"{symbol} cannot take {kind_of(left[0])} and {kind_of(right[0])}")
    result = one_quantity.added(other, sign)
    return [] if result is None else [result]


def _shifted(moment: Temporal, amount: Quantity, sign: int) -> Collection:
    unit = amount.duration()
    if unit is None:
        raise fail("only a calendar duration can be added to a date or time")
    moved = add(moment, sign * amount.value, unit)
    if moved is None:
        if moment.kind == "time" and unit in ("year", "month", "week", "day"):
            raise fail(f"a {unit} cannot be added to a time")
        return []
    return [moved]


def _times(left: Collection, right: Collection) -> Collection:
    pair = _operands("*", left, right)
    if pair is None:
        return []
    first, second = pair
    if _numbers(first, second):
        if isinstance(first, int) and isinstance(second, int):
            return [_like(first, second, int(first) * int(second))]
        with localcontext(_CONTEXT):
            return [number_result(Decimal(first) * Decimal(second))]
    return _scaled("*", first, second, left, right)


def _scaled(
    symbol: str, first: Any, second: Any, left: Collection, right: Collection
) -> Collection:
    one_quantity, other = _as_quantity(first), _as_quantity(second)
    if one_quantity is None or other is None:
        raise fail(f"{symbol} cannot take {kind_of(left[0])} and {kind_of(right[0])}")
    with localcontext(_CONTEXT):
        result = one_quantity.times(other) if symbol == "*" else one_quantity.divided(other)
    return [] if result is None else [result]


def _divide(left: Collection, right: Collection) -> Collection:
    pair = _operands("/", left, right)
    if pair is None:
        return []
    first, second = pair
    if _numbers(first, second):
        if second == 0:
            return []
        with localcontext(_CONTEXT):
            return [number_result(Decimal(first) / Decimal(second))]
    return _scaled("/", first, second, left, right)


def _whole(symbol: str, left: Collection, right: Collection) -> tuple[Any, Any] | None:
    """Numbers for div and mod; quantities without dimension count as numbers."""
    pair = _operands(symbol, left, right)
    if pair is None:
        return None
    values = []
    for value in pair:
        number = value
        if isinstance(value, Quantity):
            converted = value.converted("1")
            if converted is None:
                raise fail(f"{symbol} takes numbers")
            number = converted.value
        if isinstance(number, bool) or not isinstance(number, (int, Decimal)):
            raise fail(f"{symbol} takes numbers, not {kind_of(value)}")
        values.append(number)
    return None if values[1] == 0 else (values[0], values[1])


def _div(left: Collection, right: Collection) -> Collection:
    pair = _whole("div", left, right)
    if pair is None:
        return []
    first, second = pair
    if isinstance(first, int) and isinstance(second, int):
        quotient = abs(int(first)) // abs(int(second))
        signed = quotient if (first < 0) == (second < 0) else -quotient
        return [_like(first, second, signed)]
    with localcontext(DecimalContext(prec=400)):
        value = (Decimal(first) / Decimal(second)).to_integral_value(ROUND_DOWN)
    return [int(value) if abs(value) < 2**63 else value]


def _mod(left: Collection, right: Collection) -> Collection:
    pair = _whole("mod", left, right)
    if pair is None:
        return []
    first, second = pair
    if isinstance(first, int) and isinstance(second, int):
        rest = abs(int(first)) % abs(int(second))
        return [_like(first, second, rest if first >= 0 else -rest)]
    with localcontext(DecimalContext(prec=400)):
        return [number_result(Decimal(first) % Decimal(second))]


def negate(items: Collection) -> Collection:
    """Unary minus."""
    value = value_of(one(items, "the operand of -"))
    if value is None:
        return []
    if isinstance(value, Long):
        return [Long(-value)]
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        return [-value]
    if isinstance(value, Quantity):
        return [Quantity(-value.value, value.unit, value.calendar, value.dual)]
    raise fail(f"- takes a number, not {kind_of(items[0])}")


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

BINARY: dict[str, Callable[[Collection, Collection], Collection]] = {
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
    "+": _plus,
    "-": _minus,
    "*": _times,
    "/": _divide,
    "div": _div,
    "mod": _mod,
}

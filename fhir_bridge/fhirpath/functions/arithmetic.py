"""Arithmetic on numbers, quantities, dates and strings (http://hl7.org/fhirpath/N1/#math-1).

Integers of 64 bits stay integers, what is larger becomes a decimal; decimals have 34 digits.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_DOWN, Decimal, localcontext
from decimal import Context as DecimalContext
from typing import Any

from fhir_bridge.budget import Evaluation
from fhir_bridge.fhirpath.evaluation import kind_of, one
from fhir_bridge.fhirpath_values import Long, Node, Quantity, Temporal, add, fail, value_of

__all__ = ["ARITHMETIC", "as_quantity", "extension_only", "negate"]

_CONTEXT = DecimalContext(prec=34)
Collection = list[Any]


def extension_only(item: Any) -> bool:
    """Whether an element stands without a value."""
    return type(item) is Node and item.value is None


def as_quantity(value: Any) -> Quantity | None:
    """A quantity, or a number as one; None for anything else."""
    if isinstance(value, Quantity):
        return value
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        return Quantity(Decimal(value))
    return None


def _finite(value: Decimal) -> Decimal:
    """The number, unless it left the range of decimals (FB-2005)."""
    if not value.is_finite():
        raise fail("the number is out of range")
    return value


def _operands(symbol: str, left: Collection, right: Collection) -> tuple[Any, Any] | None:
    """The two System values; None when one is empty."""
    first = value_of(one(left, f"the left side of {symbol}"))
    second = value_of(one(right, f"the right side of {symbol}"))
    for items, value in ((left, first), (right, second)):
        if value is None and items and not extension_only(items[0]):
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


def _plus(left: Collection, right: Collection, evaluation: Evaluation) -> Collection:
    pair = _operands("+", left, right)
    if pair is None:
        return []
    first, second = pair
    if isinstance(first, str) and isinstance(second, str):
        evaluation.budget.text(len(first) + len(second))
        return [first + second]
    return _sum("+", left, right, first, second)


def _minus(left: Collection, right: Collection, _evaluation: Evaluation) -> Collection:
    pair = _operands("-", left, right)
    return [] if pair is None else _sum("-", left, right, *pair)


def _sum(symbol: str, left: Collection, right: Collection, first: Any, second: Any) -> Collection:
    sign = 1 if symbol == "+" else -1
    if _numbers(first, second):
        if isinstance(first, int) and isinstance(second, int):
            return [_like(first, second, int(first) + sign * int(second))]
        with localcontext(_CONTEXT):
            return [_finite(Decimal(first) + sign * Decimal(second))]
    if isinstance(second, Temporal) and isinstance(first, Quantity) and sign > 0:
        first, second = second, first
    if isinstance(first, Temporal) and isinstance(second, Quantity):
        return _shifted(first, second, sign)
    one_quantity, other = as_quantity(first), as_quantity(second)
    if one_quantity is None or other is None:
        raise fail(f"{symbol} cannot take {kind_of(left[0])} and {kind_of(right[0])}")
    result = one_quantity.added(other, sign)
    return [] if result is None else [result]


def _shifted(temporal: Temporal, amount: Quantity, sign: int) -> Collection:
    unit = amount.duration()
    if unit is None:
        raise fail("only a calendar duration can be added to a date or time")
    moved = add(temporal, sign * amount.value, unit)
    if moved is None:
        if temporal.kind == "time" and unit in ("year", "month", "week", "day"):
            raise fail(f"a {unit} cannot be added to a time")
        return []
    return [moved]


def _times(left: Collection, right: Collection, _evaluation: Evaluation) -> Collection:
    pair = _operands("*", left, right)
    if pair is None:
        return []
    first, second = pair
    if _numbers(first, second):
        if isinstance(first, int) and isinstance(second, int):
            return [_like(first, second, int(first) * int(second))]
        with localcontext(_CONTEXT):
            return [_finite(Decimal(first) * Decimal(second))]
    return _scaled("*", first, second, left, right)


def _scaled(
    symbol: str, first: Any, second: Any, left: Collection, right: Collection
) -> Collection:
    one_quantity, other = as_quantity(first), as_quantity(second)
    if one_quantity is None or other is None:
        raise fail(f"{symbol} cannot take {kind_of(left[0])} and {kind_of(right[0])}")
    with localcontext(_CONTEXT):
        result = one_quantity.times(other) if symbol == "*" else one_quantity.divided(other)
    return [] if result is None else [result]


def _divide(left: Collection, right: Collection, _evaluation: Evaluation) -> Collection:
    pair = _operands("/", left, right)
    if pair is None:
        return []
    first, second = pair
    if _numbers(first, second):
        if second == 0:
            return []
        with localcontext(_CONTEXT):
            return [_finite(Decimal(first) / Decimal(second))]
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


def _div(left: Collection, right: Collection, _evaluation: Evaluation) -> Collection:
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


def _mod(left: Collection, right: Collection, _evaluation: Evaluation) -> Collection:
    pair = _whole("mod", left, right)
    if pair is None:
        return []
    first, second = pair
    if isinstance(first, int) and isinstance(second, int):
        rest = abs(int(first)) % abs(int(second))
        return [_like(first, second, rest if first >= 0 else -rest)]
    with localcontext(DecimalContext(prec=400)):
        return [_finite(Decimal(first) % Decimal(second))]


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


ARITHMETIC: dict[str, Callable[[Collection, Collection, Evaluation], Collection]] = {
    "+": _plus,
    "-": _minus,
    "*": _times,
    "/": _divide,
    "div": _div,
    "mod": _mod,
}

"""Math functions and numeric aggregates (http://hl7.org/fhirpath/N1/#math)."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal, DecimalException, localcontext
from typing import Any

from fhir_bridge.fhirpath.evaluation import Closure, Context, integer, kind_of, one
from fhir_bridge.fhirpath.functions.filtering import each
from fhir_bridge.fhirpath.functions.operators import BINARY, compare_items
from fhir_bridge.fhirpath.functions.registry import function
from fhir_bridge.fhirpath_values import Long, Quantity, fail, value_of

Items = list[Any]


def _number(items: Items, name: str, *, quantity: bool = False) -> Any:
    value = value_of(one(items, f"{name}()"))
    if value is None or (quantity and isinstance(value, Quantity)):
        return value
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise fail(f"{name}() takes a number, not {kind_of(value)}")
    return value


def _on_value(name: str, change: Callable[[Any], Any], least: int = 0) -> None:
    """Register a function that works on numbers and on the number of a quantity."""

    def call(focus: Items, _context: Context) -> Items:
        value = _number(focus, name, quantity=True)
        if value is None:
            return []
        if isinstance(value, Quantity):
            return [Quantity(Decimal(change(value.value)), value.unit, value.calendar)]
        return [Long(change(value)) if isinstance(value, Long) else change(value)]

    function(name, least)(call)


def _whole(rounding: Callable[[Any], int]) -> Callable[[Any], Any]:
    def apply(value: Any) -> Any:
        if isinstance(value, Decimal) and value.adjusted() > 400:
            raise fail("the number is out of range")
        return rounding(value)

    return apply


_on_value("abs", abs)
_on_value("ceiling", _whole(math.ceil))
_on_value("floor", _whole(math.floor))
_on_value("truncate", _whole(math.trunc))


def _real(name: str, compute: Callable[[float], float]) -> None:
    """Register a function on real numbers; outside its range the result is empty."""

    def call(focus: Items, _context: Context) -> Items:
        value = _number(focus, name)
        return [] if value is None else _decimal(lambda: compute(float(value)))

    function(name)(call)


def _decimal(compute: Callable[[], float]) -> Items:
    try:
        found = compute()
    except (ValueError, OverflowError, ZeroDivisionError):
        return []
    if isinstance(found, complex) or math.isnan(found) or math.isinf(found):
        return []
    return [Decimal(repr(found))]


_real("exp", math.exp)


@function("ln")
def _ln(focus: Items, _context: Context) -> Items:
    value = _number(focus, "ln")
    return [] if value is None or value <= 0 else [_logarithm(value)]


def _logarithm(value: Any) -> Decimal:
    with localcontext(prec=28):
        return Decimal(value).ln()


@function("sqrt")
def _sqrt(focus: Items, _context: Context) -> Items:
    value = _number(focus, "sqrt")
    if value is None or value < 0:
        return []
    with localcontext(prec=28):
        return [Decimal(value).sqrt()]


@function("log", 1)
def _log(focus: Items, _context: Context, base: Items) -> Items:
    value, radix = _number(focus, "log"), _number(base, "log")
    if value is None or radix is None:
        return []
    if radix in (2, 10):
        exact = math.log2 if radix == 2 else math.log10
        return _decimal(lambda: exact(float(value)))
    if value <= 0 or radix <= 0 or radix == 1:
        return []
    with localcontext(prec=28):
        found = _logarithm(value) / _logarithm(radix)
    whole = found.to_integral_value()
    return [whole if abs(found - whole) < Decimal("1e-20") else found]


@function("power", 1)
def _power(focus: Items, _context: Context, exponent: Items) -> Items:
    value, power = _number(focus, "power"), _number(exponent, "power")
    if value is None or power is None:
        return []
    try:
        with localcontext(prec=28):
            found = Decimal(value) ** Decimal(power)
            if not found.is_finite():
                return []
            if Decimal(power) != Decimal(power).to_integral_value():
                return [
                    found.quantize(Decimal("1e-15")).normalize() if found.adjusted() < 12 else found
                ]
            if isinstance(value, int) and isinstance(power, int) and power >= 0:
                return [int(found)] if found.adjusted() < 18 else [found]
            return [found]
    except DecimalException:
        return []


@function("round", 0, 1)
def _round(focus: Items, _context: Context, places: Items | None = None) -> Items:
    value = _number(focus, "round", quantity=True)
    digits = integer(places or [], "the precision of round()")
    if value is None:
        return []
    if digits is not None and digits < 0:
        raise fail("the precision of round() is not negative")
    amount = value.value if isinstance(value, Quantity) else Decimal(value)
    rounded = _rounded(amount, digits or 0)
    if isinstance(value, Quantity):
        return [Quantity(rounded, value.unit, value.calendar)]
    return [rounded if digits or not isinstance(value, int) else value]


def _rounded(amount: Decimal, places: int) -> Decimal:
    """Half away from zero; a number with fewer digits stays as it is."""
    exponent = amount.as_tuple().exponent
    if not isinstance(exponent, int) or -exponent <= places:
        return amount
    with localcontext(prec=max(28, len(amount.as_tuple().digits) + 2)):
        return amount.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


@function("aggregate", 1, 2, style="lambda")
def _aggregate(
    focus: Items, context: Context, aggregator: Closure, start: Closure | None = None
) -> Items:
    outer = context.total
    total = start(context.this, context) if start else []
    try:
        context.total = total
        for found in each(focus, context, aggregator):
            context.total = found
            context.budget.spend(len(found))
        return context.total
    finally:
        context.total = outer


@function("sum")
def _sum(focus: Items, context: Context) -> Items:
    if not focus:
        return []
    total = focus[:1]
    add = BINARY["+"]
    context.budget.spend(len(focus))
    for item in focus[1:]:
        total = add(total, [item], context)
        if not total:
            return []
    return [value_of(total[0])] if value_of(total[0]) is not None else []


def _extreme(name: str, sign: int) -> None:
    def call(focus: Items, context: Context) -> Items:
        context.budget.spend(len(focus))
        best: Items = []
        for item in focus:
            if value_of(item) is None:
                return []
            if not best:
                best = [item]
                continue
            order = compare_items(item, best[0])
            if order is None:
                return []
            if order * sign > 0:
                best = [item]
        return best

    function(name)(call)


_extreme("min", -1)
_extreme("max", 1)


@function("avg")
def _avg(focus: Items, context: Context) -> Items:
    total = _sum(focus, context)
    return BINARY["/"](total, [Decimal(len(focus))], context) if total else []

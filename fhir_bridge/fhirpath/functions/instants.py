"""Components and boundaries of dates and times, precision and boundaries of numbers.

http://hl7.org/fhirpath/#lowboundaryprecision-integer-decimal--date--datetime--time and the
``xxxOf`` extraction functions.
"""

from __future__ import annotations

from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal, localcontext
from typing import Any

from fhir_bridge.fhirpath.evaluation import Context, integer, kind_of, one
from fhir_bridge.fhirpath.functions.registry import function
from fhir_bridge.fhirpath_values import (
    Quantity,
    Temporal,
    boundary,
    digits_of,
    fail,
    parse_temporal,
    value_of,
)

Items = list[Any]
_MAX_DIGITS = 31


def _temporal(focus: Items, name: str) -> Temporal | None:
    """The single item as a temporal value; a string is read as one."""
    value = value_of(one(focus, f"{name}()"))
    if isinstance(value, str):
        value = parse_temporal(value) or parse_temporal(value, "time")
    return value if isinstance(value, Temporal) else None


def _component(name: str, place: int, clock_place: int | None) -> None:
    def call(focus: Items, _context: Context) -> Items:
        temporal = _temporal(focus, name)
        if temporal is None:
            return []
        index = clock_place if temporal.kind == "time" else place
        if index is None or index >= len(temporal.fields):
            return []
        value = temporal.fields[index]
        return [value // 1_000_000 if name == "millisecondOf" else value]

    function(name)(call)


for _name, _place, _clock_place in (
    ("yearOf", 0, None),
    ("monthOf", 1, None),
    ("dayOf", 2, None),
    ("hourOf", 3, 0),
    ("minuteOf", 4, 1),
    ("secondOf", 5, 2),
    ("millisecondOf", 6, 3),
):
    _component(_name, _place, _clock_place)


@function("timezoneOffsetOf")
def _timezone_offset_of(focus: Items, _context: Context) -> Items:
    temporal = _temporal(focus, "timezoneOffsetOf")
    if temporal is None or temporal.zone is None:
        return []
    hours = Decimal(temporal.zone) / 60
    return [hours.quantize(Decimal("0.1")) if temporal.zone % 6 == 0 else hours]


@function("dateOf")
def _date_of(focus: Items, _context: Context) -> Items:
    temporal = _temporal(focus, "dateOf")
    if temporal is None or temporal.kind == "time":
        return []
    return [Temporal("date", temporal.fields[:3], None, temporal.text.partition("T")[0])]


@function("timeOf")
def _time_of(focus: Items, _context: Context) -> Items:
    temporal = _temporal(focus, "timeOf")
    if temporal is None or len(temporal.fields) < 4 or temporal.kind == "time":
        return []
    text = temporal.text.partition("T")[2]
    for mark in ("Z", "+", "-"):
        text = text.partition(mark)[0]
    return [Temporal("time", temporal.fields[3:], None, text)]


@function("precision")
def _precision(focus: Items, _context: Context) -> Items:
    value = value_of(one(focus, "precision()"))
    if value is None:
        return []
    if isinstance(value, Temporal):
        return [digits_of(value)]
    if isinstance(value, Quantity):
        value = value.value
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise fail(f"precision() takes a number, date or time, not {kind_of(value)}")
    exponent = Decimal(value).as_tuple().exponent
    return [max(0, -exponent) if isinstance(exponent, int) else 0]


def _bound(name: str, *, high: bool) -> None:
    def call(focus: Items, _context: Context, digits: Items | None = None) -> Items:
        value = value_of(one(focus, f"{name}()"))
        wanted = integer(digits or [], f"the precision of {name}()")
        if value is None:
            return []
        if isinstance(value, Temporal):
            found = boundary(value, wanted, high=high)
            return [] if found is None else [found]
        if isinstance(value, Quantity):
            amount = _number_bound(value.value, wanted, high=high)
            return [] if amount is None else [Quantity(amount, value.unit, value.calendar)]
        if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
            raise fail(f"{name}() takes a number, date or time, not {kind_of(value)}")
        number = _number_bound(Decimal(value), wanted, high=high)
        return [] if number is None else [number]

    function(name, 0, 1)(call)


_bound("lowBoundary", high=False)
_bound("highBoundary", high=True)


def _number_bound(value: Decimal, digits: int | None, *, high: bool) -> Decimal | None:
    """Half a step of the written precision away, to `digits` places (default 8).

    Away from zero the edge is rounded half up, towards zero it is cut, as the official
    suite has it (docs/clarifications/fhirpath.md).
    """
    places = 8 if digits is None else digits
    if not 0 <= places <= _MAX_DIGITS:
        return None
    exponent = value.as_tuple().exponent
    own = max(0, -exponent) if isinstance(exponent, int) else 0
    with localcontext(prec=max(100, value.adjusted() + 60)):
        half = Decimal(5).scaleb(-own - 1)
        step = Decimal(1).scaleb(-places)
        if value == 0:
            return (half if high else -half).quantize(step, ROUND_HALF_UP)
        outward = high != value.is_signed()
        edge = abs(value) + half if outward else abs(value) - half
        result = edge.quantize(step, ROUND_HALF_UP if outward else ROUND_DOWN)
        return result.copy_negate() if value.is_signed() else result

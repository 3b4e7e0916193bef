"""Number and quantity search parameters.

https://hl7.org/fhir/R4/search.html#number and #quantity.  A searched number is as wide as
its last digit; a stored one is the point it names (see docs/clarifications/search.md).
A quantity in UCUM is found in every unit that compares, 5.4 mg as 0.0054 g: the term
dictionary lists the units in use, and the value asked is converted to each of them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from fhir_bridge import ucum
from fhir_bridge.search.conditions import AnyOf, Condition, Converted, Measured
from fhir_bridge.search.hashing import exact_key, range_key, text_key
from fhir_bridge.search.rows import IndexRows

__all__ = [
    "UCUM",
    "add",
    "compare",
    "double",
    "exact_text",
    "extract",
    "extract_quantity",
    "in_unit",
    "is_unit",
    "listed_units",
    "precision",
    "quantity_key",
    "quantity_rows",
]

UCUM = "http://unitsofmeasure.org"
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_DIGITS = 200
_SURE_DIGITS = 15  # so many a double always keeps
_SURE = 10**_SURE_DIGITS
_UNITS = 1 << 21
_LONGEST_UNIT = 200
Row = tuple[float, float, int, int, int]


def precision(text: str) -> tuple[Decimal, Decimal] | None:
    """A number and half the width of its last digit; None when it is not a number.

    >>> precision("5.40")
    (Decimal('5.40'), Decimal('0.005'))
    """
    if len(text) > _DIGITS or not _NUMBER.fullmatch(text):
        return None
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or abs(exponent) > _DIGITS:
        return None
    if exponent > 0 or ("e" in text.lower() and value != 0):
        return value, Decimal(5).scaleb(exponent - 1)
    return value, Decimal(5).scaleb(exponent - 1)


@lru_cache(maxsize=1 << 12)
def is_unit(code: str) -> bool:
    """Whether UCUM knows the unit, so that values in it can be converted."""
    return len(code) <= _LONGEST_UNIT and ucum.canonical(Decimal(1), code) is not None


def listed_units(number: int) -> int:
    """The number under which the dictionary lists the UCUM units in use under a parameter."""
    return -(number + _UNITS)


def in_unit(asked: Converted, unit: str) -> tuple[Measured, ...]:
    """What `asked` says of a value in `unit`, as alternatives; none where the two do not compare."""
    value = ucum.convert(asked.value, asked.code, unit)
    edge = ucum.convert(asked.value + asked.half, asked.code, unit)
    if value is None or edge is None:
        return ()
    found = compare(
        asked.symbol,
        asked.prefix,
        value,
        abs(edge - value),
        system=UCUM,
        code=unit,
        context=asked.context,
        exact=unit == asked.code,
    )
    parts = found.conditions if isinstance(found, AnyOf) else (found,)
    return tuple(each for each in parts if isinstance(each, Measured))


def compare(
    symbol: str,
    prefix: str,
    value: Decimal,
    half: Decimal,
    *,
    system: str | None = None,
    code: str | None = None,
    context: str = "",
    exact: bool = True,
) -> Condition:
    """The condition `prefix` value, in the unit given, on a stored number.

    `exact`: the value is as it was asked, so that a number with more digits than a double
    holds is looked for by its digits.
    """
    plain = Measured(symbol, system=system, code=code, context=context)

    def measured(**bounds: Any) -> Measured:
        return replace(plain, **bounds)

    exactly = float(value)
    low = min(float(value - half), exactly)
    high = max(math.nextafter(float(value + half), -math.inf), exactly)
    match prefix:
        case "ne":
            below, above = math.nextafter(low, -math.inf), math.nextafter(high, math.inf)
            return AnyOf((measured(low_max=below), measured(high_min=above)))
        case "gt":
            return measured(high_min=math.nextafter(exactly, math.inf))
        case "lt":
            return measured(low_max=math.nextafter(exactly, -math.inf))
        case "ge":
            return measured(high_min=exactly)
        case "le":
            return measured(low_max=exactly)
        case "sa":
            return measured(low_min=math.nextafter(exactly, math.inf))
        case "eb":
            return measured(high_max=math.nextafter(exactly, -math.inf))
        case "ap":
            slack = abs(exactly) * 0.1
            return measured(low_max=exactly + slack, high_min=exactly - slack)
        case _:
            digits = exact_text(value) if exact and half < Decimal(math.ulp(exactly)) else ""
            if digits:
                return replace(measured(low_min=exactly, high_max=exactly), exact=digits)
            return measured(low_min=low, high_max=high)


def exact_text(value: Any) -> str:
    """The digits of a number that has more of them than a double holds, else "".

    >>> exact_text(12345678901234567890), exact_text(Decimal("1E+30")), exact_text(Decimal("0.10"))
    ('1234567890123456789e1', '', '')
    """
    if isinstance(value, float) or (isinstance(value, int) and abs(value) < _SURE):
        return ""
    sign, digits, exponent = Decimal(value).as_tuple()
    if len(digits) <= _SURE_DIGITS or not isinstance(exponent, int):
        return ""
    written = "".join(map(str, digits)).lstrip("0")
    text = written.rstrip("0")
    if len(text) <= _SURE_DIGITS:
        return ""
    return f"{'-' if sign else ''}{text}e{exponent + len(written) - len(text)}"


def double(number: float | Decimal) -> float:
    """`number` as a double; infinite where its whole digits have no room in one."""
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def extract(values: Iterable[tuple[str, Any]], number: int, rows: IndexRows) -> None:
    """Adds the rows of a number parameter."""
    for _, value in values:
        if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
            point = double(value)
            if math.isfinite(point):
                rows.quantities.add((number, point, point, 0, 0, 0))
                if digits := exact_text(value):
                    rows.quantities.add((exact_key(number, digits), point, point, 0, 0, 0))


def extract_quantity(values: Iterable[tuple[str, Any]], number: int, rows: IndexRows) -> None:
    """Adds the rows of a quantity parameter."""
    for _, value in values:
        if isinstance(value, dict):
            add(value, number, number, rows)


def add(value: dict[str, Any], key: int, number: int, rows: IndexRows) -> None:
    """Adds the rows of one quantity under `key`, and its units to those of the parameter."""
    for low, high, system, code, unit in quantity_rows(value):
        rows.quantities.add((quantity_key(key, low, high), low, high, system, code, unit))
        digits = exact_text(value["value"]) if low == high and _has_number(value) else ""
        if digits:
            rows.quantities.add((exact_key(key, digits), low, high, system, code, unit))
    for each in (value, value.get("low"), value.get("high"), value.get("origin")):
        if isinstance(each, dict) and each.get("system") == UCUM:
            code_ = each.get("code")
            if isinstance(code_, str) and is_unit(code_):
                rows.terms.add((listed_units(number), code_, text_key(code_)))


def _has_number(value: dict[str, Any]) -> bool:
    return isinstance(value.get("value"), int | float | Decimal)


def quantity_key(key: int, low: float, high: float) -> int:
    """The key under which a quantity stands: points and ranges apart."""
    return key if low == high else range_key(key)


def quantity_rows(value: dict[str, Any]) -> Iterable[Row]:
    """Rows of a Quantity (also Age, Money), Range or SampledData."""
    if "low" in value or "high" in value:
        return _range_rows(value)
    if "origin" in value and isinstance(value["origin"], dict):
        return quantity_rows(value["origin"])
    number = value.get("value")
    if not isinstance(number, int | float | Decimal) or isinstance(number, bool):
        return ()
    low, high = _comparator_bounds(double(number), value.get("comparator"))
    return (_as_given(low, high, value),)


def _range_rows(value: dict[str, Any]) -> Iterable[Row]:
    low = value.get("low") if isinstance(value.get("low"), dict) else None
    high = value.get("high") if isinstance(value.get("high"), dict) else None
    lows = {(row[2:]): row for row in (quantity_rows(low) if low else ())}
    highs = {(row[2:]): row for row in (quantity_rows(high) if high else ())}
    for unit in lows.keys() | highs.keys():
        first = lows[unit][0] if unit in lows else -math.inf
        last = highs[unit][1] if unit in highs else math.inf
        yield first, last, *unit


def _as_given(low: float, high: float, value: dict[str, Any]) -> Row:
    system = value.get("system") or ""
    code = value.get("code") or value.get("currency") or ""
    unit = value.get("unit") or ""
    unit_key = text_key(unit) if unit and unit != code else 0
    return low, high, text_key(system) if system else 0, text_key(code) if code else 0, unit_key


def _comparator_bounds(number: float, comparator: Any) -> tuple[float, float]:
    match comparator:
        case "<":
            return -math.inf, math.nextafter(number, -math.inf)
        case "<=":
            return -math.inf, number
        case ">":
            return math.nextafter(number, math.inf), math.inf
        case ">=":
            return number, math.inf
        case _:
            return number, number

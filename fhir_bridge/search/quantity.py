"""Number and quantity search parameters.

https://hl7.org/fhir/R4/search.html#number and #quantity.  A searched number is as wide as
its last digit; a stored one is the point it names (see docs/clarifications/search.md).
A quantity in UCUM is also indexed in base units, so that 5.4 mg is found as 0.0054 g.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from fhir_bridge import ucum
from fhir_bridge.search.conditions import AnyOf, Condition, Measured
from fhir_bridge.search.hashing import range_key, text_key
from fhir_bridge.search.rows import IndexRows

__all__ = [
    "UCUM",
    "canonical",
    "canonical_code",
    "compare",
    "extract",
    "extract_quantity",
    "precision",
    "quantity_key",
    "quantity_rows",
]

UCUM = "http://unitsofmeasure.org"
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_DIGITS = 200
Row = tuple[float, float, int, int, int, bool]


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
def canonical_code(code: str) -> str:
    """The base units of a UCUM code, or "" when it is not one."""
    found = canonical(Decimal(1), code)
    return found[1] if found else ""


@lru_cache(maxsize=1 << 14)
def canonical(value: Decimal, code: str) -> tuple[Decimal, str] | None:
    """`value` in UCUM base units; None for a code that UCUM does not know."""
    return ucum.canonical(value, code)


def compare(
    symbol: str,
    prefix: str,
    value: Decimal,
    half: Decimal,
    *,
    system: str | None = None,
    code: str | None = None,
    in_base_units: bool = False,
    context: str = "",
) -> Condition:
    """The condition `prefix` value, in the unit given, on a stored number."""

    def measured(**bounds: float) -> Measured:
        return Measured(
            symbol, system=system, code=code, canonical=in_base_units, context=context, **bounds
        )

    exactly = float(value)
    low = float(value - half)
    high = math.nextafter(float(value + half), -math.inf)
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
            return measured(low_min=low, high_max=high)


def extract(values: Iterable[tuple[str, Any]], number: int, rows: IndexRows) -> None:
    """Adds the rows of a number parameter."""
    for _, value in values:
        if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
            point = float(value)
            if math.isfinite(point):
                rows.quantities.add((number, point, point, 0, 0, 0))


def extract_quantity(values: Iterable[tuple[str, Any]], number: int, rows: IndexRows) -> None:
    """Adds the rows of a quantity parameter."""
    for _, value in values:
        if isinstance(value, dict):
            for low, high, system, code, unit, is_base in quantity_rows(value):
                key = quantity_key(number, low, high, is_base=is_base)
                rows.quantities.add((key, low, high, system, code, unit))


def quantity_key(key: int, low: float, high: float, *, is_base: bool) -> int:
    """The key under which a quantity stands: points and ranges apart, base units negative."""
    own = key if low == high else range_key(key)
    return -own if is_base else own


def quantity_rows(value: dict[str, Any]) -> Iterable[Row]:
    """Rows of a Quantity (also Age, Money), Range or SampledData, base units included."""
    if "low" in value or "high" in value:
        return _range_rows(value)
    if "origin" in value and isinstance(value["origin"], dict):
        return quantity_rows(value["origin"])
    number = value.get("value")
    if not isinstance(number, int | float | Decimal) or isinstance(number, bool):
        return ()
    low, high = _comparator_bounds(float(number), value.get("comparator"))
    return _in_units(low, high, Decimal(str(number)), value, value.get("comparator"))


def _range_rows(value: dict[str, Any]) -> Iterable[Row]:
    low = value.get("low") if isinstance(value.get("low"), dict) else None
    high = value.get("high") if isinstance(value.get("high"), dict) else None
    lows = {(row[2:]): row for row in (quantity_rows(low) if low else ())}
    highs = {(row[2:]): row for row in (quantity_rows(high) if high else ())}
    for unit in lows.keys() | highs.keys():
        first = lows[unit][0] if unit in lows else -math.inf
        last = highs[unit][1] if unit in highs else math.inf
        yield first, last, *unit


def _in_units(
    low: float, high: float, number: Decimal, value: dict[str, Any], comparator: Any
) -> Iterable[Row]:
    system = value.get("system") or ""
    code = value.get("code") or value.get("currency") or ""
    unit = value.get("unit") or ""
    unit_key = text_key(unit) if unit and unit != code else 0
    yield (
        low,
        high,
        text_key(system) if system else 0,
        text_key(code) if code else 0,
        unit_key,
        False,
    )
    if system == UCUM and code:
        base = canonical(number, code)
        if base:
            first, last = _comparator_bounds(float(base[0]), comparator)
            yield first, last, text_key(system), text_key(base[1]), 0, True


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

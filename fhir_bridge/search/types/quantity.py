"""Quantity search parameters: a number in a unit.

https://hl7.org/fhir/R4/search.html#quantity.  A quantity in UCUM is found in every unit that
compares, 5.4 mg as 0.0054 g: the term dictionary lists the units in use, and the searched value is
converted to each of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

from fhir_bridge import ucum
from fhir_bridge.search.conditions import AnyOf, Condition, Converted, Measured
from fhir_bridge.search.escaping import Written
from fhir_bridge.search.hashing import exact_key, range_key, text_key
from fhir_bridge.search.rows import IndexRows
from fhir_bridge.search.types.number import (
    NumberValue,
    compared,
    double,
    exact_text,
    is_number,
    number_value,
)
from fhir_bridge.search.types.prefix import ORDERED, split_prefix
from fhir_bridge.search.types.search_type import (
    Index,
    Parameter,
    SearchType,
    Slot,
    Typed,
    expected,
)

__all__ = ["UCUM", "Quantity", "QuantityValue", "in_unit", "is_unit", "listed_units"]

UCUM = "http://unitsofmeasure.org"
_LISTED_UNITS = 1 << 21
_MAX_UNIT_LENGTH = 200
_Row = tuple[float, float, int, int, int]


@dataclass(frozen=True, slots=True)
class QuantityValue:
    """A number to compare with in a unit; "" leaves the system or the code open."""

    number: NumberValue
    system: str
    code: str


class Quantity(SearchType[QuantityValue]):
    """A Quantity (also Age, Money), Range or SampledData."""

    table = "quantities"
    is_sortable = True
    is_shareable = True

    def operators(self, parameter: Parameter) -> tuple[str, ...]:
        """Every comparison."""
        return (*ORDERED, "pr")

    def read(self, parameter: Parameter, modifier: str, written: Written) -> QuantityValue:
        """``[prefix]number``, ``number|system|code`` or ``number||code``."""
        number, *unit = written.fields()
        return _value(parameter, split_prefix(number), unit)

    def match(self, index: Index, value: QuantityValue) -> Condition:
        """The comparison with the quantities of a resource, in every unit where UCUM has it."""
        number, system, code = value.number, value.system, value.code
        if system == UCUM and is_unit(code):
            return Converted(
                index.symbol, number.prefix, number.value, number.half, code, index.context
            )
        plain = Measured(
            index.symbol, system=system or None, code=code or None, context=index.context
        )
        return compared(plain, number)

    def compare(self, parameter: Parameter, operator: str, written: Written) -> Condition:
        """The operator is the prefix."""
        number, *unit = written.fields()
        return self.on_indexes(parameter, _value(parameter, (operator, number), unit))

    def extract(
        self, parameter: Parameter, slot: Slot, values: list[Typed], rows: IndexRows
    ) -> None:
        """The rows of each quantity, and its units for those of the parameter."""
        for _, value in values:
            if isinstance(value, dict):
                _add(value, slot, rows)


def _value(parameter: Parameter, number: tuple[str, str], unit: list[str]) -> QuantityValue:
    if len(unit) > 2:
        raise expected(parameter, "number|system|code")
    system, code = (*unit, "", "")[:2]
    return QuantityValue(number_value(parameter, *number), system, code)


@lru_cache(maxsize=1 << 12)
def is_unit(code: str) -> bool:
    """Whether UCUM has the unit, so that values in it can be converted."""
    return len(code) <= _MAX_UNIT_LENGTH and ucum.canonical(Decimal(1), code) is not None


def listed_units(number: int) -> int:
    """The number under which the dictionary lists the UCUM units in use under a parameter."""
    return -(number + _LISTED_UNITS)


def in_unit(quantity: Converted, unit: str) -> tuple[Measured, ...]:
    """What `quantity` says of a value in `unit`, as alternatives; none where they do not compare."""
    value = ucum.convert(quantity.value, quantity.code, unit)
    edge = ucum.convert(quantity.value + quantity.half, quantity.code, unit)
    if value is None or edge is None:
        return ()
    condition = compared(
        Measured(quantity.symbol, system=UCUM, code=unit, context=quantity.context),
        NumberValue(quantity.prefix, value, abs(edge - value)),
        is_exact=unit == quantity.code,
    )
    parts = condition.conditions if isinstance(condition, AnyOf) else (condition,)
    return tuple(each for each in parts if isinstance(each, Measured))


def _add(value: dict[str, Any], slot: Slot, rows: IndexRows) -> None:
    for low, high, system, code, unit in _rows(value):
        # Points and ranges stand apart.
        key = slot.key if low == high else range_key(slot.key)
        rows.quantities.add((key, low, high, system, code, unit))
        digits = exact_text(value["value"]) if low == high and is_number(value.get("value")) else ""
        if digits:
            rows.quantities.add((exact_key(slot.key, digits), low, high, system, code, unit))
    for each in (value, value.get("low"), value.get("high"), value.get("origin")):
        if isinstance(each, dict) and each.get("system") == UCUM:
            unit_code = each.get("code")
            if isinstance(unit_code, str) and is_unit(unit_code):
                rows.terms.add((listed_units(slot.number), unit_code, text_key(unit_code)))


def _rows(value: dict[str, Any]) -> Iterable[_Row]:
    """First and last number of a Quantity, Range or SampledData, with the keys of its unit."""
    if "low" in value or "high" in value:
        return _range_rows(value)
    if "origin" in value and isinstance(value["origin"], dict):
        return _rows(value["origin"])
    number = value.get("value")
    if not is_number(number):
        return ()
    low, high = _comparator_bounds(double(number), value.get("comparator"))
    return (_as_given(low, high, value),)


def _range_rows(value: dict[str, Any]) -> Iterable[_Row]:
    low = value.get("low") if isinstance(value.get("low"), dict) else None
    high = value.get("high") if isinstance(value.get("high"), dict) else None
    lows = {(row[2:]): row for row in (_rows(low) if low else ())}
    highs = {(row[2:]): row for row in (_rows(high) if high else ())}
    for unit in lows.keys() | highs.keys():
        first = lows[unit][0] if unit in lows else -math.inf
        last = highs[unit][1] if unit in highs else math.inf
        yield first, last, *unit


def _as_given(low: float, high: float, value: dict[str, Any]) -> _Row:
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

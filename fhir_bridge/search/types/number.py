"""Number search parameters: a searched number is as wide as its last digit.

https://hl7.org/fhir/R4/search.html#number.  A stored number is the point it names (see
docs/clarifications/search.md); one with more digits than a double holds is also found by them.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Any, TypeGuard

from fhir_bridge.search.conditions import AnyOf, Condition, Measured
from fhir_bridge.search.escaping import Written
from fhir_bridge.search.hashing import exact_key
from fhir_bridge.search.rows import IndexRows
from fhir_bridge.search.types.prefix import ORDERED, split_prefix
from fhir_bridge.search.types.search_type import (
    Index,
    Parameter,
    SearchType,
    Slot,
    Typed,
    expected,
)

__all__ = [
    "Number",
    "NumberValue",
    "compared",
    "double",
    "exact_text",
    "is_number",
    "number_value",
    "precision",
]

_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_MAX_DIGITS = 200
_MAX_SURE_DIGITS = 15  # so many a double always keeps
_SURE = 10**_MAX_SURE_DIGITS


@dataclass(frozen=True, slots=True)
class NumberValue:
    """A number to compare with, and `half` the width of its last digit."""

    prefix: str
    value: Decimal
    half: Decimal


class Number(SearchType[NumberValue]):
    """A decimal or an integer."""

    table = "quantities"
    is_sortable = True
    is_shareable = True

    def operators(self, parameter: Parameter) -> tuple[str, ...]:
        """Every comparison."""
        return (*ORDERED, "pr")

    def read(self, parameter: Parameter, modifier: str, written: Written) -> NumberValue:
        """``[prefix]number``."""
        return number_value(parameter, *split_prefix(written.text))

    def match(self, index: Index, value: NumberValue) -> Condition:
        """The comparison with the numbers of a resource."""
        return compared(Measured(index.symbol, context=index.context), value)

    def compare(self, parameter: Parameter, operator: str, written: Written) -> Condition:
        """The operator is the prefix."""
        return self.on_indexes(parameter, number_value(parameter, operator, written.text))

    def extract(
        self, parameter: Parameter, slot: Slot, values: list[Typed], rows: IndexRows
    ) -> None:
        """A row for each number, and one more by its digits where a double does not hold them."""
        for _, value in values:
            point = double(value) if is_number(value) else math.inf
            if math.isfinite(point):
                rows.quantities.add((slot.key, point, point, 0, 0, 0))
                if digits := exact_text(value):
                    rows.quantities.add((exact_key(slot.key, digits), point, point, 0, 0, 0))


def number_value(parameter: Parameter, prefix: str, text: str) -> NumberValue:
    """The number that `text` writes.  Raises BridgeError FB-4103."""
    number = precision(text)
    if number is None:
        raise expected(parameter, "a number such as 5, 5.40 or 5.4e-3")
    return NumberValue(prefix, *number)


def precision(text: str) -> tuple[Decimal, Decimal] | None:
    """A number and half the width of its last digit; None when it is not a number.

    >>> precision("5.40")
    (Decimal('5.40'), Decimal('0.005'))
    """
    if len(text) > _MAX_DIGITS or not _NUMBER.fullmatch(text):
        return None
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or abs(exponent) > _MAX_DIGITS:
        return None
    return value, Decimal(5).scaleb(exponent - 1)


def compared(plain: Measured, number: NumberValue, *, is_exact: bool = True) -> Condition:
    """`plain` within the bounds that a number and its prefix set.

    `is_exact`: the value is as it was written, so that a number with more digits than a double
    holds is looked for by its digits.
    """

    def measured(**bounds: Any) -> Measured:
        return replace(plain, **bounds)

    value, half = number.value, number.half
    exactly = float(value)
    low = min(float(value - half), exactly)
    high = max(math.nextafter(float(value + half), -math.inf), exactly)
    match number.prefix:
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
            digits = exact_text(value) if is_exact and half < Decimal(math.ulp(exactly)) else ""
            if digits:
                return measured(low_min=exactly, high_max=exactly, exact=digits)
            return measured(low_min=low, high_max=high)


def exact_text(value: Any) -> str:
    """The digits of a number that has more of them than a double holds, else "".

    >>> exact_text(12345678901234567890), exact_text(Decimal("1E+30")), exact_text(Decimal("0.10"))
    ('1234567890123456789e1', '', '')
    """
    if isinstance(value, float) or (isinstance(value, int) and abs(value) < _SURE):
        return ""
    sign, digits, exponent = Decimal(value).as_tuple()
    if len(digits) <= _MAX_SURE_DIGITS or not isinstance(exponent, int):
        return ""
    written = "".join(map(str, digits)).lstrip("0")
    text = written.rstrip("0")
    if len(text) <= _MAX_SURE_DIGITS:
        return ""
    return f"{'-' if sign else ''}{text}e{exponent + len(written) - len(text)}"


def is_number(value: Any) -> TypeGuard[float | Decimal]:
    """Whether a JSON value is a number."""
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def double(number: float | Decimal) -> float:
    """`number` as a double; infinite where its whole digits have no room in one."""
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf

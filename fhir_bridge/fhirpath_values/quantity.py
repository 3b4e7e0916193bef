"""Quantities: a decimal with a UCUM unit or a calendar duration.

http://hl7.org/fhirpath/N1/#quantity and #time-valued-quantities.  Calendar words
(``year``, ``months``) and UCUM codes (``'a'``, ``'mo'``) are different units above weeks and
the same from weeks down.  A FHIR Quantity whose UCUM code is a duration may stand for
either (https://hl7.org/fhir/R4/fhirpath.html#quantity); `dual` marks it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal, localcontext

from fhir_bridge import ucum

__all__ = ["CALENDAR_UNITS", "Quantity"]

CALENDAR_UNITS = {
    word: word.removesuffix("s")
    for name in ("year", "month", "week", "day", "hour", "minute", "second", "millisecond")
    for word in (name, f"{name}s")
}
_UCUM = {
    "year": "a",
    "month": "mo",
    "week": "wk",
    "day": "d",
    "hour": "h",
    "minute": "min",
    "second": "s",
    "millisecond": "ms",
}
_CALENDAR = {code: name for name, code in _UCUM.items()}
_SECONDS = {
    "year": Decimal(365 * 86400),
    "month": Decimal(30 * 86400),
    "week": Decimal(7 * 86400),
    "day": Decimal(86400),
    "hour": Decimal(3600),
    "minute": Decimal(60),
    "second": Decimal(1),
    "millisecond": Decimal("0.001"),
}


@dataclass(frozen=True, slots=True, eq=False)
class Quantity:
    """System.Quantity: `unit` is a UCUM code, or a calendar word when `calendar`."""

    value: Decimal
    unit: str = "1"
    calendar: bool = False
    dual: bool = False

    def __str__(self) -> str:
        if not self.calendar:
            return f"{self.value:f} '{self.unit}'"
        return f"{self.value:f} {self.unit}{'' if abs(self.value) == 1 else 's'}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Quantity) and self.compare(other) == 0

    def __hash__(self) -> int:
        return 0

    @property
    def ucum_code(self) -> str:
        """The unit as UCUM code, calendar words translated."""
        return _UCUM[self.unit] if self.calendar else self.unit

    def key(self) -> tuple[Decimal, str] | None:
        """Equal quantities have equal keys; None when only a comparison can tell.

        That is so for months and years, which equal UCUM's or not by the side they are on,
        and for units without a ratio scale.
        """
        if _coarse(self) or (not self.calendar and ucum.is_special(self.unit)):
            return None
        return ucum.canonical(self.value, self.ucum_code) or (self.value, self.unit)

    def duration(self) -> str | None:
        """The calendar word with which it can be added to a date; None when it has none."""
        if self.calendar:
            return self.unit
        if self.unit in CALENDAR_UNITS:
            return CALENDAR_UNITS[self.unit]
        word = _CALENDAR.get(self.unit)
        return word if self.dual or word not in ("year", "month") else None

    def compare(self, other: Quantity, *, lenient: bool = False) -> int | None:
        """-1, 0 or 1; None when the units cannot be compared.

        `lenient` is for equivalence: calendar months and years then equal UCUM ones.
        """
        pair = self.aligned(other, lenient=lenient)
        if pair is None:
            return None
        left, right = pair
        return (left > right) - (left < right)

    def aligned(
        self, other: Quantity, *, lenient: bool = False, coarser: bool = False
    ) -> tuple[Decimal, Decimal] | None:
        """Both values in the finer (or `coarser`) unit; None when that is not possible."""
        left, right = self.settled(other)
        if left.calendar and right.calendar:
            return _calendar_pair(left, right, coarser=coarser)
        if left.calendar != right.calendar and not lenient and (_coarse(left) or _coarse(right)):
            return None
        if lenient and left.calendar != right.calendar:
            one, two = left.as_calendar(), right.as_calendar()
            if one.calendar and two.calendar:
                return _calendar_pair(one, two, coarser=coarser)
        if left.ucum_code == right.ucum_code:
            return left.value, right.value
        direct = ucum.convert(right.value, right.ucum_code, left.ucum_code)
        if direct is None:
            return None
        reverse = ucum.convert(left.value, left.ucum_code, right.ucum_code)
        unit_size = ucum.convert(Decimal(1), left.ucum_code, right.ucum_code)
        if reverse is not None and unit_size is not None and (abs(unit_size) > 1) != coarser:
            return reverse, right.value
        return left.value, direct

    def settled(self, other: Quantity) -> tuple[Quantity, Quantity]:
        """A dual unit takes the side of the other one."""
        left, right = self, other
        if left.dual and right.calendar:
            left = left.as_calendar()
        if right.dual and left.calendar:
            right = right.as_calendar()
        return left, right

    def as_calendar(self) -> Quantity:
        """The same duration in calendar words, if it has them."""
        if self.calendar:
            return self
        word = _CALENDAR.get(self.unit)
        return replace(self, unit=word, calendar=True) if word else self

    def converted(self, unit: str) -> Quantity | None:
        """``toQuantity(unit)``; a plain number takes the unit.

        Calendar words and UCUM mix from weeks down only.
        """
        word = CALENDAR_UNITS.get(unit)
        if self.unit == "1" and unit != "1" and (word or ucum.is_valid(unit)):
            return Quantity(self.value, word or unit, calendar=bool(word))
        source = self.as_calendar() if self.dual and word else self
        if source.calendar != bool(word):
            if _coarse(source) or (word or _CALENDAR.get(unit)) in ("year", "month"):
                return None
            if source.unit in CALENDAR_UNITS and not source.calendar:
                return None
        elif word:
            with localcontext(prec=40):
                value = _trim(source.value * _ratio(source.unit, word))
            return Quantity(value, word, calendar=True)
        value_in = ucum.convert(source.value, source.ucum_code, _UCUM[word] if word else unit)
        return None if value_in is None else Quantity(value_in, word or unit, calendar=bool(word))

    def added(self, other: Quantity, sign: int) -> Quantity | None:
        """Sum or difference in the finer unit; None when the units do not fit."""
        left, right = self.settled(other)
        if left.calendar != right.calendar:
            if _coarse(left) or _coarse(right):
                return None
            left, right = (
                replace(each, unit=each.ucum_code, calendar=False) for each in (left, right)
            )
        pair = left.aligned(right)
        if pair is None or ucum.is_special(left.ucum_code) or ucum.is_special(right.ucum_code):
            return None
        finer = left if pair[0] == left.value and left.unit != right.unit else right
        finer = left if left.unit == right.unit else finer
        if left.unit != right.unit:
            finer = left if _size(left) <= _size(right) else right
        value = pair[0] + sign * pair[1]
        return Quantity(value, finer.unit, finer.calendar, finer.dual and self.dual and other.dual)

    def times(self, other: Quantity) -> Quantity | None:
        """The product; a calendar duration may only be scaled by a plain number."""
        number = _number(other, self)
        if number is not None:
            return self.scaled(self.value * number)
        number = _number(self, other)
        if number is not None:
            return other.scaled(other.value * number)
        return self._combined(other, 1)

    def divided(self, other: Quantity) -> Quantity | None:
        """The quotient; None for a zero divisor, as for units that do not multiply."""
        if other.value == 0:
            return None
        number = _number(other, self)
        if number is not None:
            return self.scaled(self.value / number)
        return self._combined(other, -1)

    def scaled(self, value: Decimal) -> Quantity | None:
        """The same unit with another value; None for units that have no ratio scale."""
        if not self.calendar and (ucum.is_special(self.unit) or not ucum.is_valid(self.unit)):
            return None
        return replace(self, value=value)

    def _combined(self, other: Quantity, sign: int) -> Quantity | None:
        """Product (1) or quotient (-1) of two units, as written or else in base units."""
        if self.calendar or other.calendar:
            return None
        combine = ucum.multiply if sign > 0 else ucum.divide
        result = combine((self.value, self.unit), (other.value, other.unit))
        unit = None if result is None else ucum.combined_unit(self.unit, other.unit, sign)
        if result is None or unit is None:
            return None if result is None else Quantity(*result)
        return Quantity(self.value * other.value if sign > 0 else self.value / other.value, unit)


def _number(quantity: Quantity, beside: Quantity) -> Decimal | None:
    """The plain number that a quantity is; beside a duration also one such as ``50 '%'``."""
    if quantity.unit == "1":
        return quantity.value
    if quantity.calendar or not (beside.calendar or beside.dual):
        return None
    return ucum.convert(quantity.value, quantity.unit, "1")


def _coarse(quantity: Quantity) -> bool:
    return _CALENDAR.get(quantity.ucum_code) in ("year", "month")


def _size(quantity: Quantity) -> Decimal:
    if quantity.calendar:
        return _SECONDS[quantity.unit]
    canonical = ucum.canonical(Decimal(1), quantity.unit)
    return canonical[0] if canonical else Decimal(1)


def _ratio(source: str, target: str) -> Decimal:
    """How many `target` make a `source`; twelve months are a year."""
    if (source, target) == ("year", "month"):
        return Decimal(12)
    if (source, target) == ("month", "year"):
        return Decimal(1) / Decimal(12)
    return _SECONDS[source] / _SECONDS[target]


def _calendar_pair(left: Quantity, right: Quantity, *, coarser: bool) -> tuple[Decimal, Decimal]:
    if (_SECONDS[left.unit] >= _SECONDS[right.unit]) != coarser:
        return left.value * _ratio(left.unit, right.unit), right.value
    return left.value, right.value * _ratio(right.unit, left.unit)


def _trim(value: Decimal) -> Decimal:
    whole = value.to_integral_value()
    return whole if whole == value else value

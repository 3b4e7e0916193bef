"""Dates, times and dateTimes of any precision, with or without a zone.

http://hl7.org/fhirpath/N1/#date, #datetime, #time, #equality, #datetime-arithmetic.

A value stands for the interval that its precision leaves open: ``@2018-03`` is the whole of
March.  Two values compare when their intervals decide it; otherwise the answer is unknown
(None, the empty collection).  Seconds and their fraction are one precision.  When only one
of two values has a zone, the other may be anywhere between UTC-12 and UTC+14.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

__all__ = ["Long", "Temporal", "add", "compare", "parse_temporal", "same"]

_DATE = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?")
_CLOCK = re.compile(r"(\d\d)(?::(\d\d)(?::(\d\d)(?:\.(\d+))?)?)?")
_ZONE = re.compile(r"(Z|[+-]\d\d:\d\d)$")
_SECOND = 1_000_000_000
_DAY = 86_400 * _SECOND
_WEST, _EAST = 12 * 3600 * _SECOND, 14 * 3600 * _SECOND


class Long(int):
    """System.Long: an integer of 64 bits (http://hl7.org/fhirpath/#long)."""


@dataclass(frozen=True, slots=True, eq=False)
class Temporal:
    """System.Date, System.DateTime or System.Time.

    `kind` is "date", "datetime" or "time"; `fields` are the given ones in order from the
    year (or from the hour for a time), the last one nanoseconds of the second if a
    fraction was given; `zone` is minutes east of UTC or None; `text` as written.
    """

    kind: str
    fields: tuple[int, ...]
    zone: int | None
    text: str

    @property
    def precision(self) -> int:
        """How many fields decide comparison: seconds and fraction count as one."""
        return min(len(self.fields), 3 if self.kind == "time" else 6)

    def __str__(self) -> str:
        return self.text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Temporal) and same(self, other) is True

    def __hash__(self) -> int:
        return hash(self.kind)

    def interval(self) -> tuple[int, int]:
        """First and last nanosecond (in UTC if there is a zone), counted from year 1."""
        fields = self.fields
        if self.kind == "time":
            start, width = _clock(fields)
            return start, start + width
        year, month, day = (*fields[:3], 1, 1)[:3]
        if len(fields) < 3:
            month = fields[1] if len(fields) > 1 else 1
            day = 1
            last = (12, 31) if len(fields) == 1 else (month, calendar.monthrange(year, month)[1])
            days = date(year, month, day).toordinal()
            end = date(year, *last).toordinal() + 1
            start, stop = days * _DAY, end * _DAY - 1
        else:
            clock, width = _clock(fields[3:])
            start = date(year, month, day).toordinal() * _DAY + clock
            stop = start + width
        if self.zone is not None:
            shift = self.zone * 60 * _SECOND
            return start - shift, stop - shift
        return start, stop


def _clock(fields: tuple[int, ...]) -> tuple[int, int]:
    """Nanoseconds since midnight and the width that the precision leaves open."""
    if not fields:
        return 0, _DAY - 1
    hour, minute, second, fraction = (*fields, 0, 0, 0)[:4]
    start = ((hour * 60 + minute) * 60 + second) * _SECOND + fraction
    return start, (3600 * _SECOND - 1, 60 * _SECOND - 1, 0, 0)[len(fields) - 1]


@lru_cache(8192)
def parse_temporal(text: str, kind: str = "") -> Temporal | None:
    """`text` (no ``@``) as the kind asked for; None if it is none.

    `kind` "" takes a date when there is no T, and a dateTime otherwise.

    >>> parse_temporal("2019-02").precision
    2
    >>> parse_temporal("2019-02-30") is None
    True
    """
    if kind == "time":
        text = text.removeprefix("T")
        match = _CLOCK.fullmatch(text)
        fields = _clock_fields(match)
        return Temporal("time", fields, None, text) if fields else None
    zone = None
    day, t, clock = text.partition("T")
    if t:
        found = _ZONE.search(clock)
        if found:
            zone = _minutes(found[1])
            if zone is None:
                return None
            clock = clock[: found.start()]
    dates = _date_fields(day)
    if not dates or (t and kind == "date"):
        return None
    if not t:
        return Temporal("datetime" if kind == "datetime" else "date", dates, None, text)
    if not clock:
        return Temporal("datetime", dates, zone, text.removesuffix("T"))
    clocks = _clock_fields(_CLOCK.fullmatch(clock))
    if len(dates) < 3 or not clocks:
        return None
    return Temporal("datetime", dates + clocks, zone, text)


def _date_fields(text: str) -> tuple[int, ...]:
    match = _DATE.fullmatch(text)
    if match is None:
        return ()
    fields = tuple(int(part) for part in match.groups() if part)
    try:
        date(*(*fields, 1, 1)[:3])
    except ValueError:
        return ()
    return fields


def _clock_fields(match: re.Match[str] | None) -> tuple[int, ...]:
    if match is None:
        return ()
    fields = tuple(int(part) for part in match.groups()[:3] if part)
    hour, minute, second = (*fields, 0, 0)[:3]
    if hour > 23 or minute > 59 or second > 60:
        return ()
    if match[4]:
        fields += (int(match[4][:9].ljust(9, "0")),)
    return fields


def _minutes(zone: str) -> int | None:
    if zone == "Z":
        return 0
    hours, minutes = int(zone[1:3]), int(zone[4:])
    total = hours * 60 + minutes
    if minutes > 59 or total > 14 * 60:
        return None
    return -total if zone[0] == "-" else total


def compare(left: Temporal, right: Temporal) -> int | None:
    """-1, 0, 1, or None when the precision (or a missing zone) leaves it open."""
    if left.zone == right.zone:
        return _compare_fields(left, right)
    low, high = left.interval()
    other_low, other_high = right.interval()
    if left.kind != "time" and (left.zone is None) != (right.zone is None):
        if left.zone is None:
            low, high = low - _EAST, high + _WEST
        else:
            other_low, other_high = other_low - _EAST, other_high + _WEST
    elif left.precision == right.precision and low == other_low:
        return 0
    if high < other_low:
        return -1
    if other_high < low:
        return 1
    return None


def _compare_fields(left: Temporal, right: Temporal) -> int | None:
    """The same for two values of one zone: field by field, seconds with their fraction."""
    one, other = left.fields, right.fields
    if len(one) != len(other):
        whole = 3 if left.kind == "time" else 6
        if len(one) >= whole and len(other) >= whole:
            one, other = (*one, 0), (*other, 0)
        size = min(len(one), len(other))
        if len(one) != len(other) and one[:size] == other[:size] and size < whole:
            return None
        one, other = one[:size], other[:size]
    return (one > other) - (one < other)


def same(left: Temporal, right: Temporal) -> bool | None:
    """Equality of http://hl7.org/fhirpath/N1/#equals; None when it is open."""
    if (left.kind == "time") != (right.kind == "time"):
        return False
    order = compare(left, right)
    return None if order is None else order == 0


_MONTHS = {"year": 12, "month": 1}
_NANOSECONDS = {
    "week": 7 * _DAY,
    "day": _DAY,
    "hour": 3600 * _SECOND,
    "minute": 60 * _SECOND,
    "second": _SECOND,
    "millisecond": _SECOND // 1000,
}


def add(moment: Temporal, amount: Decimal, unit: str) -> Temporal | None:
    """`moment` plus `amount` calendar `unit`s ("year" … "millisecond").

    The precision stays as it was: what does not fill a whole unit of it is dropped.
    Fractions of units above seconds are dropped.  None when the result leaves the years
    1 to 9999 or the unit cannot be added to a time.
    """
    if unit not in ("second", "millisecond"):
        amount = Decimal(int(amount))
    try:
        if moment.kind == "time":
            return _add_clock(moment, amount, unit)
        if unit in _MONTHS:
            return _add_months(moment, int(amount) * _MONTHS[unit])
        return _add_duration(moment, int(amount * _NANOSECONDS[unit]))
    except (OverflowError, ValueError):
        return None


def _add_clock(moment: Temporal, amount: Decimal, unit: str) -> Temporal | None:
    if unit not in ("hour", "minute", "second", "millisecond"):
        return None
    start, width = _clock(_capped(moment.fields, 2))
    shift = int(amount * _NANOSECONDS[unit])
    if width:  # a coarser precision than seconds moves in whole steps
        step = width + 1
        shift = (abs(shift) // step) * step * (1 if shift >= 0 else -1)
    total = (start + shift) % _DAY
    fields = _clock_split(total, moment.fields)
    return Temporal("time", fields, None, _render((), fields, None))


def _add_months(moment: Temporal, months: int) -> Temporal:
    fields = moment.fields
    if len(fields) == 1:
        years = abs(months) // 12 * (1 if months >= 0 else -1)
        return _made(moment, (date(fields[0] + years, 1, 1).year,))
    index = fields[0] * 12 + fields[1] - 1 + months
    year, month = divmod(index, 12)
    date(year, month + 1, 1)
    if len(fields) == 2:
        return _made(moment, (year, month + 1))
    day = min(fields[2], calendar.monthrange(year, month + 1)[1])
    return _made(moment, (year, month + 1, day, *fields[3:]))


def _add_duration(moment: Temporal, shift: int) -> Temporal:
    fields = moment.fields
    sign = 1 if shift >= 0 else -1
    if len(fields) < 3:
        days = abs(shift) // _DAY
        return _add_months(moment, sign * (days // 365 * 12 if len(fields) == 1 else days // 30))
    clock, width = _clock(_capped(fields[3:], 2))
    step = width + 1 if width else 1
    shift = (abs(shift) // step) * step * sign
    start = datetime.combine(date(*fields[:3]), time())
    days, rest = divmod(clock + shift, _DAY)
    moved = start + timedelta(days=days)
    clocks = _clock_split(rest, fields[3:]) if len(fields) > 3 else ()
    return _made(moment, (moved.year, moved.month, moved.day, *clocks))


def _capped(clock: tuple[int, ...], index: int) -> tuple[int, ...]:
    """A leap second (:60) counts as the last ordinary one."""
    if len(clock) > index and clock[index] > 59:
        return (*clock[:index], 59, *clock[index + 1 :])
    return clock


def _clock_split(total: int, like: tuple[int, ...]) -> tuple[int, ...]:
    seconds, fraction = divmod(total, _SECOND)
    parts = (seconds // 3600, seconds // 60 % 60, seconds % 60, fraction)
    wanted = len(like)
    if wanted == 3 and fraction:
        wanted = 4
    return parts[:wanted]


def _made(like: Temporal, fields: tuple[int, ...]) -> Temporal:
    return Temporal(like.kind, fields, like.zone, _render(fields[:3], fields[3:], like.zone))


def _render(day: tuple[int, ...], clock: tuple[int, ...], zone: int | None) -> str:
    text = "-".join(
        f"{part:04d}" if index == 0 else f"{part:02d}" for index, part in enumerate(day)
    )
    if clock:
        text += "T" if day else ""
        text += ":".join(f"{part:02d}" for part in clock[:3])
        if len(clock) > 3:
            fraction = f"{clock[3]:09d}".rstrip("0")
            text += "." + fraction.ljust(3, "0")
    if zone is not None and clock:
        text += (
            "Z"
            if zone == 0
            else f"{'-' if zone < 0 else '+'}{abs(zone) // 60:02d}:{abs(zone) % 60:02d}"
        )
    return text


def boundary(moment: Temporal, digits: int | None, *, high: bool) -> Temporal | None:
    """``lowBoundary``/``highBoundary`` of a temporal value to `digits` digits.

    Digits are those of the written value: 4, 6, 8 for dates, 10 … 17 for dateTimes and
    2, 4, 6, 9 for times (http://hl7.org/fhirpath/#lowboundaryprecision-integer-decimal--date--datetime--time).
    """
    if moment.kind == "time":
        allowed = {2: 1, 4: 2, 6: 3, 9: 4}
        wanted = allowed.get(9 if digits is None else digits)
        if wanted is None:
            return None
        clock = _filled(moment.fields, wanted, (23, 59, 59, 999_000_000), high=high)
        return Temporal("time", clock, None, _render((), clock, None))
    allowed = {4: 1, 6: 2, 8: 3, 10: 4, 12: 5, 14: 6, 17: 7}
    wanted = allowed.get((8 if moment.kind == "date" else 17) if digits is None else digits)
    if wanted is None:
        return None
    fields = moment.fields[:wanted]
    if high:
        month = fields[1] if len(fields) > 1 else 12
        last = calendar.monthrange(fields[0], month)[1]
        # an hour alone stands for its first minute, as the official suite has it
        fill = (0, 12, last, 23, 0 if len(fields) == 4 else 59, 59, 999_000_000)
    else:
        fill = (0, 1, 1, 0, 0, 0, 0)
    fields = fields + fill[len(fields) : wanted]
    zone = moment.zone
    if wanted > 3 and zone is None:
        zone = -12 * 60 if high else 14 * 60
    text = _render(fields[:3], fields[3:], zone)
    return Temporal("datetime" if wanted > 3 else moment.kind, fields, zone, text)


def _filled(
    fields: tuple[int, ...], wanted: int, top: tuple[int, ...], *, high: bool
) -> tuple[int, ...]:
    fields = fields[:wanted]
    rest = top[len(fields) : wanted]
    return fields + (rest if high else tuple(0 for _ in rest))


def digits_of(moment: Temporal) -> int:
    """``precision()``: the digits of the written value (year 4 … milliseconds 17; times 2 … 9)."""
    table = (2, 4, 6, 9) if moment.kind == "time" else (4, 6, 8, 10, 12, 14, 17)
    return table[len(moment.fields) - 1]


def plain(value: Any) -> Any:
    """A temporal value as JSON carries it."""
    return value.text if isinstance(value, Temporal) else value

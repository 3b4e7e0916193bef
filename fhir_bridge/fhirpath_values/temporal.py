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
from datetime import date
from functools import lru_cache

__all__ = [
    "DAY",
    "SECOND",
    "Long",
    "Temporal",
    "clock_span",
    "compare",
    "parse_temporal",
    "same",
]

_DATE = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?", re.ASCII)
_CLOCK = re.compile(r"(\d\d)(?::(\d\d)(?::(\d\d)(?:\.(\d+))?)?)?", re.ASCII)
_ZONE = re.compile(r"(Z|[+-]\d\d:\d\d)$", re.ASCII)
SECOND = 1_000_000_000
DAY = 86_400 * SECOND
_WEST, _EAST = 12 * 3600 * SECOND, 14 * 3600 * SECOND


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
            start, width = clock_span(fields)
            return start, start + width
        year, month, day = (*fields[:3], 1, 1)[:3]
        if len(fields) < 3:
            month = fields[1] if len(fields) > 1 else 1
            day = 1
            last = (12, 31) if len(fields) == 1 else (month, calendar.monthrange(year, month)[1])
            days = date(year, month, day).toordinal()
            end = date(year, *last).toordinal() + 1
            start, stop = days * DAY, end * DAY - 1
        else:
            clock, width = clock_span(fields[3:])
            start = date(year, month, day).toordinal() * DAY + clock
            stop = start + width
        if self.zone is not None:
            shift = self.zone * 60 * SECOND
            return start - shift, stop - shift
        return start, stop


def clock_span(fields: tuple[int, ...]) -> tuple[int, int]:
    """Nanoseconds since midnight and the width that the precision leaves open."""
    if not fields:
        return 0, DAY - 1
    hour, minute, second, fraction = (*fields, 0, 0, 0)[:4]
    start = ((hour * 60 + minute) * 60 + second) * SECOND + fraction
    return start, (3600 * SECOND - 1, 60 * SECOND - 1, 0, 0)[len(fields) - 1]


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
        plain = text.removesuffix("T")
        return Temporal("datetime", dates, None, plain) if zone is None else None
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

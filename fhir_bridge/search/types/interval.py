"""A date, dateTime or instant as the interval that it names, as wide as its precision.

https://hl7.org/fhir/R4/datatypes.html#dateTime and https://hl7.org/fhir/R4/search.html#date.
Intervals are whole 100-nanosecond ticks since 1970-01-01T00:00:00Z, both ends included.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache

__all__ = ["DAY", "EARLIEST", "LATEST", "MILLISECOND", "interval", "midnight"]

EARLIEST, LATEST = -(1 << 62), (1 << 62)
MILLISECOND = 10_000
_SECOND = 1_000 * MILLISECOND
DAY = 86_400 * _SECOND
_MAX_OFFSET = timedelta(hours=14)
_EPOCH = date(1970, 1, 1).toordinal()
_FORM = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?"
    r"(Z|[+\- ]\d\d:[0-5]\d)?)?)?)?",
    re.ASCII,
)


@lru_cache(maxsize=1 << 15)
def interval(text: str, zone: tzinfo = UTC) -> tuple[int, int] | None:
    """First and last tick of a date, dateTime or instant; None when it is not one.

    A value without a time zone is read in `zone`.

    >>> interval("1970-01-01T00:00:01Z")
    (10000000, 19999999)
    """
    match = _FORM.fullmatch(text)
    if not match:
        return None
    year, month, day, hour, minute, second, fraction, offset = match.groups()
    try:
        first = date(int(year), int(month or 1), int(day or 1))
        time = datetime(
            first.year, first.month, first.day, int(hour or 0), int(minute or 0), tzinfo=UTC
        )
        shift = _offset(offset, time, zone)
    except (ValueError, OverflowError):
        return None
    seconds = int(second or 0)
    if seconds > 60:
        return None
    low = midnight(first) + ((time.hour * 60 + time.minute) * 60 + seconds) * _SECOND - shift
    if fraction:
        low += int(fraction.ljust(9, "0")) // 100
        width = 1  # a fraction of a second is read as the tick that it names
    elif second:
        width = _SECOND
    elif minute:
        width = 60 * _SECOND
    elif day:
        width = DAY
    else:
        width = _days(first, whole_year=not month) * DAY
    return low, low + width - 1


def midnight(day: date) -> int:
    """The first tick of a day in UTC."""
    return (day.toordinal() - _EPOCH) * DAY


def _days(first: date, *, whole_year: bool) -> int:
    if whole_year:
        return 366 if first.year % 4 == 0 and (first.year % 100 or first.year % 400 == 0) else 365
    if first.month == 12:
        return 31
    return (first.replace(month=first.month + 1) - first).days


def _offset(written: str | None, time: datetime, zone: tzinfo) -> int:
    """Ticks east of UTC.  Raises ValueError for more than R4 allows."""
    if written == "Z" or (not written and zone is UTC):
        return 0
    if written:
        # A plus sign that was not encoded in a URL arrives as a blank.
        sign = -1 if written[0] == "-" else 1
        delta = timedelta(hours=int(written[1:3]), minutes=int(written[4:6]))
        if delta > _MAX_OFFSET:
            raise ValueError(written)
        delta *= sign
    else:
        delta = time.replace(tzinfo=zone).utcoffset() or timedelta()
    return int(delta.total_seconds()) * _SECOND

"""Date search parameters: every value is an interval as wide as its precision.

https://hl7.org/fhir/R4/search.html#date and #prefix.  Intervals are whole 100-nanosecond
ticks since 1970-01-01T00:00:00Z, both ends included.  A value without a time zone is read
in the zone the registry was given.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Any

from fhir_bridge import clock
from fhir_bridge.search.conditions import AllOf, AnyOf, Between, Condition, Updated
from fhir_bridge.search.rows import IndexRows

__all__ = [
    "EARLIEST",
    "LATEST",
    "compare",
    "extract",
    "interval",
    "intervals",
    "updated",
]

EARLIEST, LATEST = -(1 << 62), (1 << 62)
_SECOND = 10_000_000
_DAY = 86_400 * _SECOND
_EPOCH = date(1970, 1, 1).toordinal()
_FORM = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?"
    r"(Z|[+\- ]\d\d:\d\d)?)?)?)?",
    re.ASCII,
)


@lru_cache(maxsize=1 << 15)
def interval(text: str, zone: tzinfo = UTC) -> tuple[int, int] | None:
    """First and last tick of a date, dateTime or instant; None when it is not one.

    >>> interval("1970-01-01T00:00:01Z")
    (10000000, 19999999)
    """
    match = _FORM.fullmatch(text)
    if not match:
        return None
    year, month, day, hour, minute, second, fraction, offset = match.groups()
    try:
        first = date(int(year), int(month or 1), int(day or 1))
        moment = datetime(
            first.year, first.month, first.day, int(hour or 0), int(minute or 0), tzinfo=UTC
        )
        shift = _offset(offset, moment, zone)
    except (ValueError, OverflowError):
        return None
    seconds = int(second or 0)
    if seconds > 60:
        return None
    low = (first.toordinal() - _EPOCH) * _DAY
    low += ((moment.hour * 60 + moment.minute) * 60 + seconds) * _SECOND - shift
    if fraction:
        low += int(fraction.ljust(9, "0")) // 100
        width = 1  # a fraction of a second is read as the moment it names
    elif second:
        width = _SECOND
    elif minute:
        width = 60 * _SECOND
    elif day:
        width = _DAY
    else:
        width = _days(first, whole_year=not month) * _DAY
    return low, low + width - 1


def intervals(kind: str, value: Any, zone: tzinfo) -> Iterable[tuple[int, int]]:
    """The intervals of one element: a date, a Period, or the outer limits of a Timing."""
    if isinstance(value, str):
        found = interval(value, zone)
        return (found,) if found else ()
    if not isinstance(value, dict):
        return ()
    if kind == "Timing" or "event" in value or "repeat" in value:
        return _timing(value, zone)
    start, end = value.get("start"), value.get("end")
    low = interval(start, zone) if isinstance(start, str) else None
    high = interval(end, zone) if isinstance(end, str) else None
    if low is None and high is None:
        return ()
    return ((low[0] if low else EARLIEST, high[1] if high else LATEST),)


def extract(
    values: Iterable[tuple[str, Any]], number: int, rows: IndexRows, zone: tzinfo
) -> list[tuple[int, int]]:
    """Adds the date rows of one parameter; answers the intervals."""
    found = [each for kind, value in values for each in intervals(kind, value, zone)]
    regular = len(found) == 1 and found[0][1] - found[0][0] < _DAY
    key = number if regular else -number
    for low, high in found:
        rows.dates.add((key, low, high))
    return found


def compare(symbol: str, prefix: str, low: int, high: int, context: str = "") -> Condition:
    """The condition `prefix` [low, high] on the interval of a resource."""

    def between(**bounds: int) -> Between:
        return Between(symbol, context=context, **bounds)

    inside = between(low_min=low, high_max=high)
    match prefix:
        case "ne":
            return AnyOf((between(low_max=low - 1), between(high_min=high + 1)))
        case "gt":
            return between(high_min=high + 1)
        case "lt":
            return between(low_max=low - 1)
        case "ge":
            return AnyOf((between(high_min=high + 1), inside))
        case "le":
            return AnyOf((between(low_max=low - 1), inside))
        case "sa":
            return between(low_min=high + 1)
        case "eb":
            return between(high_max=low - 1)
        case "ap":
            slack = _slack(low, high)
            return between(low_max=high + slack, high_min=low - slack)
        case _:
            return inside


def _slack(low: int, high: int) -> int:
    """Ticks that "approximately" reaches beyond both ends: a tenth of the time from it to now.

    Now is the beginning of the day, so that the pages of a search ask the same question.
    """
    today = (clock.now().date().toordinal() - _EPOCH) * _DAY
    return max(abs(today - low), high - low, _DAY) // 10


def updated(prefix: str, low: int, high: int) -> Condition:
    """The same for the time of the last change, which is one moment (milliseconds)."""
    first, last = -(-low // 10_000), high // 10_000
    match prefix:
        case "ne":
            return AnyOf((Updated(high=first - 1), Updated(low=last + 1)))
        case "gt" | "sa":
            return Updated(low=last + 1)
        case "lt" | "eb":
            return Updated(high=first - 1)
        case "ge":
            return Updated(low=first)
        case "le":
            return Updated(high=last)
        case "ap":
            slack = _slack(low, high) // 10_000
            return Updated(low=first - slack, high=last + slack)
        case _:
            return AllOf((Updated(low=first, high=last),))


def _timing(value: dict[str, Any], zone: tzinfo) -> Iterable[tuple[int, int]]:
    events = value.get("event") or []
    found = [interval(event, zone) for event in events if isinstance(event, str)]
    known = [each for each in found if each]
    repeat = value.get("repeat")
    bounds = repeat.get("boundsPeriod") if isinstance(repeat, dict) else None
    if isinstance(bounds, dict):
        known.extend(intervals("Period", bounds, zone))
    if not known:
        return ()
    return ((min(low for low, _ in known), max(high for _, high in known)),)


def _days(first: date, *, whole_year: bool) -> int:
    if whole_year:
        return 366 if first.year % 4 == 0 and (first.year % 100 or first.year % 400 == 0) else 365
    if first.month == 12:
        return 31
    return (first.replace(month=first.month + 1) - first).days


def _offset(written: str | None, moment: datetime, zone: tzinfo) -> int:
    """Ticks east of UTC."""
    if written == "Z" or (not written and zone is UTC):
        return 0
    if written:
        # A plus sign that was not encoded in a URL arrives as a blank.
        sign = -1 if written[0] == "-" else 1
        delta = timedelta(hours=int(written[1:3]), minutes=int(written[4:6])) * sign
    else:
        delta = moment.replace(tzinfo=zone).utcoffset() or timedelta()
    return int(delta.total_seconds()) * _SECOND

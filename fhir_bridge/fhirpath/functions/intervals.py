"""How far apart two dates or times are: ``duration()`` and ``difference()``.

http://hl7.org/fhirpath/#date-and-time-interval-functions.  A duration counts whole periods
that have passed, a difference counts the boundaries between periods that were crossed.
Years to days are counted on the written calendar; from hours down zones are aligned.
"""

from __future__ import annotations

import calendar
from collections.abc import Callable
from datetime import date
from typing import Any

from fhir_bridge.fhirpath.evaluation import Context, kind_of, one, string
from fhir_bridge.fhirpath.functions.registry import function
from fhir_bridge.fhirpath_values import DAY, SECOND, Temporal, clock_span, fail, value_of

Items = list[Any]
_UNITS = ("year", "month", "week", "day", "hour", "minute", "second", "millisecond")
_NEEDED = {"year": 1, "month": 2, "week": 3, "day": 3, "hour": 4, "minute": 5, "second": 6}
_LENGTH = {
    "hour": 3600 * SECOND,
    "minute": 60 * SECOND,
    "second": SECOND,
    "millisecond": SECOND // 1000,
}


def _enter(name: str, count: Callable[[Temporal, Temporal, str], int]) -> None:
    def call(focus: Items, _context: Context, other: Items, precision: Items) -> Items:
        start = _temporal(focus, f"the input of {name}()")
        end = _temporal(other, f"the value of {name}()")
        unit = string(precision, f"the precision of {name}()")
        if start is None or end is None or unit is None:
            return []
        _allowed(start, end, unit, name)
        if not (_reaches(start, unit) and _reaches(end, unit)):
            return []
        return [count(start, end, unit)]

    function(name, 2)(call)


def _temporal(items: Items, purpose: str) -> Temporal | None:
    value = value_of(one(items, purpose))
    if value is not None and not isinstance(value, Temporal):
        raise fail(f"{purpose} is a date or time, not {kind_of(value)}")
    return value


def _allowed(start: Temporal, end: Temporal, unit: str, name: str) -> None:
    if (start.kind == "time") != (end.kind == "time"):
        raise fail(f"{name}() takes two dates or two times")
    low = 4 if start.kind == "time" else 0
    high = 4 if "date" in (start.kind, end.kind) else len(_UNITS)
    if unit not in _UNITS[low:high]:
        raise fail(f"the precision of {name}() is one of {', '.join(_UNITS[low:high])}")


def _reaches(temporal: Temporal, unit: str) -> bool:
    """Whether the value is written to the unit (whole seconds have milliseconds too)."""
    needed = _NEEDED.get(unit, 6)
    return len(temporal.fields) >= (needed - 3 if temporal.kind == "time" else needed)


def _instant(temporal: Temporal) -> int:
    """Nanoseconds on one line of time; values without a zone count as UTC."""
    return temporal.interval()[0]


def _months(temporal: Temporal) -> int:
    year, month = (*temporal.fields, 1)[:2]
    return year * 12 + month - 1


def _ordinal(temporal: Temporal) -> int:
    return date(*temporal.fields[:3]).toordinal()


def _rest(temporal: Temporal, day: int) -> tuple[int, int]:
    """What comes below the month: the day and the nanoseconds of the clock."""
    clock = temporal.fields[3:]
    return day, clock_span(clock)[0] if clock else 0


def _toward_zero(distance: int, length: int) -> int:
    return abs(distance) // length * (1 if distance >= 0 else -1)


def _duration(start: Temporal, end: Temporal, unit: str) -> int:
    """Whole periods from start to end; negative when the end comes first."""
    if unit in _LENGTH:
        return _toward_zero(_instant(end) - _instant(start), _LENGTH[unit])
    if unit in ("week", "day"):
        clocks = _rest(end, 0)[1] - _rest(start, 0)[1]
        distance = (_ordinal(end) - _ordinal(start)) * DAY + clocks
        return _toward_zero(distance, 7 * DAY if unit == "week" else DAY)
    months = _whole_months(start, end) if _below(start, end) else -_whole_months(end, start)
    return _toward_zero(months, 12) if unit == "year" else months


def _below(start: Temporal, end: Temporal) -> bool:
    return start.fields <= end.fields


def _whole_months(start: Temporal, end: Temporal) -> int:
    """Whole months between two values in order; the last of a month stands for missing days."""
    months = _months(end) - _months(start)
    if len(start.fields) < 3 or len(end.fields) < 3:
        return months
    last = calendar.monthrange(end.fields[0], end.fields[1])[1]
    day = min(start.fields[2], last)
    return months - (_rest(end, end.fields[2]) < _rest(start, day))


def _difference(start: Temporal, end: Temporal, unit: str) -> int:
    """Boundaries crossed from start to end; weeks begin on Sunday."""
    if unit in _LENGTH:
        length = _LENGTH[unit]
        return _instant(end) // length - _instant(start) // length
    if unit == "year":
        return end.fields[0] - start.fields[0]
    if unit == "month":
        return _months(end) - _months(start)
    if unit == "week":
        return _ordinal(end) // 7 - _ordinal(start) // 7
    return _ordinal(end) - _ordinal(start)


_enter("duration", _duration)
_enter("difference", _difference)

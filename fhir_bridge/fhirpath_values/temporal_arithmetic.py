"""Sums of dates and durations, boundaries and precision of dates and times.

http://hl7.org/fhirpath/N1/#datetime-arithmetic,
http://hl7.org/fhirpath/#lowboundaryprecision-integer-decimal--date--datetime--time
"""

from __future__ import annotations

import calendar
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from fhir_bridge.fhirpath_values.temporal import DAY, SECOND, Temporal, clock_span

__all__ = ["add", "boundary", "digits_of"]

_MONTHS = {"year": 12, "month": 1}
_NANOSECONDS = {
    "week": 7 * DAY,
    "day": DAY,
    "hour": 3600 * SECOND,
    "minute": 60 * SECOND,
    "second": SECOND,
    "millisecond": SECOND // 1000,
}


def add(temporal: Temporal, amount: Decimal, unit: str) -> Temporal | None:
    """`temporal` plus `amount` calendar `unit`s ("year" … "millisecond").

    The precision stays as it was: what does not fill a whole unit of it is dropped.
    Fractions of units above seconds are dropped.  None when the result leaves the years
    1 to 9999 or the unit cannot be added to a time.
    """
    if unit not in ("second", "millisecond"):
        amount = Decimal(int(amount))
    try:
        if temporal.kind == "time":
            return _add_clock(temporal, amount, unit)
        if unit in _MONTHS:
            return _add_months(temporal, int(amount) * _MONTHS[unit])
        return _add_duration(temporal, int(amount * _NANOSECONDS[unit]))
    except (OverflowError, ValueError):
        return None


def _add_clock(temporal: Temporal, amount: Decimal, unit: str) -> Temporal | None:
    if unit not in ("hour", "minute", "second", "millisecond"):
        return None
    start, width = clock_span(_capped(temporal.fields, 2))
    shift = int(amount * _NANOSECONDS[unit])
    if width:  # a coarser precision than seconds moves in whole steps
        step = width + 1
        shift = (abs(shift) // step) * step * (1 if shift >= 0 else -1)
    total = (start + shift) % DAY
    fields = _clock_split(total, temporal.fields)
    return Temporal("time", fields, None, _render((), fields, None))


def _add_months(temporal: Temporal, months: int) -> Temporal:
    fields = temporal.fields
    if len(fields) == 1:
        years = abs(months) // 12 * (1 if months >= 0 else -1)
        return _made(temporal, (date(fields[0] + years, 1, 1).year,))
    index = fields[0] * 12 + fields[1] - 1 + months
    year, month = divmod(index, 12)
    date(year, month + 1, 1)
    if len(fields) == 2:
        return _made(temporal, (year, month + 1))
    day = min(fields[2], calendar.monthrange(year, month + 1)[1])
    return _made(temporal, (year, month + 1, day, *fields[3:]))


def _add_duration(temporal: Temporal, shift: int) -> Temporal:
    fields = temporal.fields
    sign = 1 if shift >= 0 else -1
    if len(fields) < 3:
        days = abs(shift) // DAY
        return _add_months(temporal, sign * (days // 365 * 12 if len(fields) == 1 else days // 30))
    clock, width = clock_span(_capped(fields[3:], 2))
    step = width + 1 if width else 1
    shift = (abs(shift) // step) * step * sign
    start = datetime.combine(date(*fields[:3]), time())
    days, rest = divmod(clock + shift, DAY)
    moved = start + timedelta(days=days)
    clocks = _clock_split(rest, fields[3:]) if len(fields) > 3 else ()
    return _made(temporal, (moved.year, moved.month, moved.day, *clocks))


def _capped(clock: tuple[int, ...], index: int) -> tuple[int, ...]:
    """A leap second (:60) counts as the last ordinary one."""
    if len(clock) > index and clock[index] > 59:
        return (*clock[:index], 59, *clock[index + 1 :])
    return clock


def _clock_split(total: int, like: tuple[int, ...]) -> tuple[int, ...]:
    seconds, fraction = divmod(total, SECOND)
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


def boundary(temporal: Temporal, digits: int | None, *, high: bool) -> Temporal | None:
    """``lowBoundary``/``highBoundary`` of a temporal value to `digits` digits.

    Digits are those of the written value: 4, 6, 8 for dates, 10 … 17 for dateTimes and
    2, 4, 6, 9 for times (http://hl7.org/fhirpath/#lowboundaryprecision-integer-decimal--date--datetime--time).
    """
    if temporal.kind == "time":
        allowed = {2: 1, 4: 2, 6: 3, 9: 4}
        wanted = allowed.get(9 if digits is None else digits)
        if wanted is None:
            return None
        clock = _filled(temporal.fields, wanted, (23, 59, 59, 999_000_000), high=high)
        return Temporal("time", clock, None, _render((), clock, None))
    allowed = {4: 1, 6: 2, 8: 3, 10: 4, 12: 5, 14: 6, 17: 7}
    wanted = allowed.get((8 if temporal.kind == "date" else 17) if digits is None else digits)
    if wanted is None:
        return None
    fields = temporal.fields[:wanted]
    if high:
        month = fields[1] if len(fields) > 1 else 12
        last = calendar.monthrange(fields[0], month)[1]
        # an hour alone stands for its first minute, as the official suite has it
        fill = (0, 12, last, 23, 0 if len(fields) == 4 else 59, 59, 999_000_000)
    else:
        fill = (0, 1, 1, 0, 0, 0, 0)
    fields = fields + fill[len(fields) : wanted]
    zone = temporal.zone
    if wanted > 3 and zone is None:
        zone = -12 * 60 if high else 14 * 60
    text = _render(fields[:3], fields[3:], zone)
    return Temporal("datetime" if wanted > 3 else temporal.kind, fields, zone, text)


def _filled(
    fields: tuple[int, ...], wanted: int, top: tuple[int, ...], *, high: bool
) -> tuple[int, ...]:
    fields = fields[:wanted]
    rest = top[len(fields) : wanted]
    return fields + (rest if high else tuple(0 for _ in rest))


def digits_of(temporal: Temporal) -> int:
    """``precision()``: the digits of the written value (year 4 … milliseconds 17; times 2 … 9)."""
    table = (2, 4, 6, 9) if temporal.kind == "time" else (4, 6, 8, 10, 12, 14, 17)
    return table[len(temporal.fields) - 1]

"""Bounds of dates and times that are told from now: a duration before or after it.

https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.minValue_x_
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from fhir_bridge import clock

__all__ = ["date_bound"]

_MONTHS = {"a": 12, "mo": 1}
_SECONDS = {"wk": 604_800, "d": 86_400, "h": 3_600, "min": 60, "s": 1}


def date_bound(bound: Any, value: Any, direction: int) -> Any:
    """`bound` as something that the date or time `value` can be compared with.

    A duration is taken from now (`direction` -1) or added to it (1), at the precision of `value`;
    everything else is its own.  One in a unit that is no time stays as it is and bounds nothing.
    """
    if not isinstance(bound, dict) or not isinstance(value, str):
        return bound
    number, unit = bound.get("value"), str(bound.get("code"))
    if not isinstance(number, int | Decimal):
        return bound
    if unit in _MONTHS:
        then = _months_from(clock.now(), direction * int(number * _MONTHS[unit]))
    elif unit in _SECONDS:
        then = clock.now() + direction * timedelta(seconds=float(number * _SECONDS[unit]))
    else:
        return bound
    return then.strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")[: min(len(value), 10)]


def _months_from(now: datetime, months: int) -> datetime:
    years, month = divmod(now.year * 12 + now.month - 1 + months, 12)
    year = min(max(years, 1), 9999)
    return now.replace(year=year, month=month + 1, day=min(now.day, 28))

"""``end_after(start, amount, unit)``: the end of a span that begins at `start`.

HL7 v2.5.1 sections 10.6.1 (SCH-9, SCH-10) and 10.6.4 (AIS-7, AIS-8); minutes where the unit
is silent, as in the examples of section 10.6.1.10.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from fhir_bridge.errors import Issue
from fhir_bridge.fhir.marks import is_null
from fhir_bridge.map_functions.instant_from_ts import instant_from_ts

RESULT = "instant"

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_NUMBER = re.compile(r"[0-9]{1,6}([.][0-9]{1,3})?")


def end_after(
    start: str | None, amount: str | None = None, unit: str | None = None, zone: str | None = None
) -> str | Issue | None:
    """The instant `amount` after the HL7 timestamp `start`; nothing without both.

    `unit` is known by its first letter (``S``, ``MIN``, ``H``, ``D``), else minutes.

    >>> end_after("20260310093000+0800", "30", "MIN")
    '2026-03-10T10:00:00+08:00'
    """
    if is_null(start):
        return start
    if not start or not amount or not _NUMBER.fullmatch(str(amount)):
        return None
    instant = instant_from_ts(start, zone)
    if not isinstance(instant, str):
        return instant
    seconds = float(str(amount)) * _SECONDS.get(str(unit or "m")[:1].lower(), 60)
    leap = instant.replace(":60", ":59")  # a leap second has no place in the calendar of Python
    return (datetime.fromisoformat(leap) + timedelta(seconds=seconds)).isoformat()

"""The times of ``_since`` and ``_at``: an instant or a partial date, as an interval.

https://hl7.org/fhir/R4/datatypes.html#dateTime, https://hl7.org/fhir/R4/http.html#history
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, tzinfo

from fhir_bridge.errors import BridgeError

__all__ = ["interval"]

_FORM = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?"
    r"(Z|[+-]\d\d:\d\d)?)?)?)?"
)


def interval(name: str, text: str, zone: tzinfo) -> tuple[int, int]:
    """First and last millisecond since 1970 of the time that `text` names.

    A time without a zone is in `zone`.  Raises BridgeError FB-4025 naming the parameter.

    >>> from datetime import UTC
    >>> interval("_at", "1970-01-01T00:00:01Z", UTC)
    (1000, 1999)
    """
    # A plus that was not encoded arrives as a blank.
    match = _FORM.fullmatch(text.strip().replace(" ", "+"))
    reason = "it is a date or an instant such as 2026-01-31T08:00:00+08:00"
    if match is None:
        raise BridgeError("FB-4025", name=name, reason=reason)
    try:
        first, last = _bounds(match, zone)
        return int(first.timestamp() * 1000), int(last.timestamp() * 1000) - 1
    except (ValueError, OverflowError):
        raise BridgeError("FB-4025", name=name, reason=reason) from None


def _bounds(match: re.Match[str], zone: tzinfo) -> tuple[datetime, datetime]:
    """The moment that begins, and the one that follows."""
    year, month, day, hour, minute, second, fraction, offset = match.groups()
    if offset:
        zone = datetime.fromisoformat(f"2000-01-01T00:00:00{offset}").tzinfo or zone
    microsecond = int(((fraction or "") + "000000")[:6])
    first = datetime(
        int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0),
        int(second or 0), microsecond, zone,
    )  # fmt: skip
    if fraction:
        return first, first + timedelta(milliseconds=1)
    if second or minute:
        return first, first + timedelta(seconds=1 if second else 60)
    if day:
        return first, first + timedelta(days=1)
    if month:
        return first, (first.replace(day=28) + timedelta(days=4)).replace(day=1)
    return first, first.replace(year=first.year + 1)

"""HL7 timestamps (v2 TS/DTM, CDA TS) to FHIR date, dateTime and instant.

HL7 v2.5.1 chapter 2.A.22 ``YYYY[MM[DD[HH[MM[SS[.S[S[S[S]]]]]]]]][+/-ZZZZ]``; CDA writes the
same, with or without zone.  FHIR: https://hl7.org/fhir/R4/datatypes.html#dateTime: a time
needs a zone and minutes; the precision that came is kept, never padded.

Promises: digits that are no calendar date give None, so that the caller can say so.
"""

from __future__ import annotations

import re
from calendar import monthrange
from functools import lru_cache

__all__ = ["Timestamp", "read_timestamp"]

_TIMESTAMP = re.compile(
    r"(?P<year>[0-9]{4})-?(?:(?P<month>[0-9]{2})-?(?:(?P<day>[0-9]{2})"
    r"(?:[T ]?(?P<hour>[0-9]{2}):?(?:(?P<minute>[0-9]{2}):?(?:(?P<second>[0-9]{2})"
    r"(?P<fraction>\.[0-9]{1,9})?)?)?)?)?)?\s*(?P<zone>Z|[+-][0-9]{2}:?[0-9]{2})?\Z"
)


class Timestamp:
    """The parts of a timestamp, as they came."""

    __slots__ = ("day", "hour", "minute", "month", "second", "year", "zone")

    def __init__(self, parts: dict[str, str | None]) -> None:
        self.year = str(parts["year"])
        self.month = parts["month"]
        self.day = parts["day"]
        self.hour = parts["hour"]
        self.minute = parts["minute"]
        second = parts["second"]
        self.second = f"{second}{parts['fraction'] or ''}" if second else None
        zone = parts["zone"]
        self.zone = zone if zone in (None, "Z") else f"{zone[:3]}:{zone[-2:]}"

    @property
    def date(self) -> str:
        """``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD``."""
        return "-".join(part for part in (self.year, self.month, self.day) if part)

    def datetime(self, zone: str) -> str:
        """FHIR dateTime; `zone` (``+08:00``) stands in when none came.

        An hour without minutes has no place in FHIR, so the date alone is given.
        """
        if not self.minute or not self.day:
            return self.date
        return f"{self.date}T{self.hour}:{self.minute}:{self.second or '00'}{self.zone or zone}"


def read_timestamp(text: str) -> Timestamp | None:
    """The parts of `text`, or None when it is no timestamp of the calendar.

    >>> read_timestamp("202402301200") is None
    True
    >>> read_timestamp("20240229120501.25").datetime("+08:00")
    '2024-02-29T12:05:01.25+08:00'
    """
    return _read(text.strip())  # a plain text: what is kept must not keep its message


@lru_cache(maxsize=2_048)  # a record says the same time in several places
def _read(text: str) -> Timestamp | None:
    match = _TIMESTAMP.match(text)
    if match is None:
        return None
    parts = match.groupdict()
    year, month, day = int(match["year"]), int(match["month"] or 1), int(match["day"] or 1)
    if not (year and 1 <= month <= 12 and 1 <= day <= monthrange(year, month)[1]):
        return None
    hour, minute = int(match["hour"] or 0), int(match["minute"] or 0)
    second = int(match["second"] or 0)
    if hour > 23 or minute > 59 or second > 60:
        return None
    return Timestamp(parts)

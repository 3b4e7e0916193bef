"""``is_date(text)``: whether eight digits are a day of the calendar."""

from __future__ import annotations

from fhir_bridge.fhir.marks import is_null
from fhir_bridge.map_functions.reading.timestamps import read_timestamp

RESULT = "boolean"


def is_date(text: str | None) -> bool | None:
    """Whether ``YYYYMMDD`` (or ``YYYY-MM-DD``) exists; nothing from an absent value."""
    if not text or is_null(text):
        return None
    found = read_timestamp(str(text))
    return found is not None and found.day is not None and found.hour is None

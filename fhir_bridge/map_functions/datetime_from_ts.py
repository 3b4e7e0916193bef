"""``datetime_from_ts(ts, zone, necessary)``: an HL7 timestamp as FHIR dateTime.

https://hl7.org/fhir/R4/datatypes.html#dateTime
"""

from __future__ import annotations

from fhir_bridge.errors import Issue, Severity
from fhir_bridge.fhir.marks import NULL, is_null
from fhir_bridge.map_functions.reading.timestamps import read_timestamp

RESULT = "dateTime"


def datetime_from_ts(
    ts: str | None, zone: str | None = None, necessary: bool | None = None
) -> str | Issue | None:
    """The dateTime of an HL7 timestamp, in the precision that came.

    `zone` (``+08:00``) stands in where the timestamp has none; without either, a time
    gives its date alone, because FHIR has no time without a zone.  FB-2126 when the
    digits are no date: a warning, an error where the element is `necessary`.
    """
    if not ts:
        return None
    found = read_timestamp(str(ts))
    if found is None:
        severity: Severity = "error" if necessary else "warning"
        return NULL if is_null(ts) else Issue("FB-2126", severity, details={"type": "dateTime"})
    if not (found.zone or zone):
        return found.date
    return found.datetime(zone or "")

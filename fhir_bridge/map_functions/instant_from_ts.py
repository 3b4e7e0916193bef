"""``instant_from_ts(ts, zone)``: an HL7 timestamp as FHIR instant.

https://hl7.org/fhir/R4/datatypes.html#instant
"""

from __future__ import annotations

from fhir_bridge.errors import Issue
from fhir_bridge.fhir.marks import NULL, is_null
from fhir_bridge.map_functions.reading.timestamps import read_timestamp

RESULT = "instant"


def instant_from_ts(ts: str | None, zone: str | None = None) -> str | Issue | None:
    """The instant of an HL7 timestamp; it must be known to the minute and have a zone.

    FB-2126 (warning) when it is not, since an instant may not be guessed.
    """
    if not ts:
        return None
    found = read_timestamp(str(ts))
    if found is None or not found.minute or not (found.zone or zone):
        return NULL if is_null(ts) else Issue("FB-2126", "warning", details={"type": "instant"})
    return found.datetime(zone or "")

"""``date_from_ts(ts)``: an HL7 timestamp as FHIR date.

https://hl7.org/fhir/R4/datatypes.html#date
"""

from __future__ import annotations

from fhir_bridge.errors import Issue
from fhir_bridge.transform.timestamps import read_timestamp

RESULT = "date"


def date_from_ts(ts: str | None) -> str | Issue | None:
    """The date of an HL7 timestamp: ``19800102`` is 1980-01-02, ``198001`` is 1980-01.

    Nothing from an absent value; FB-2126 when the digits are no date.
    """
    if not ts:
        return None
    found = read_timestamp(str(ts))
    return found.date if found else Issue("FB-2126", details={"type": "date"})

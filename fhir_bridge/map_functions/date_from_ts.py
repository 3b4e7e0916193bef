"""``date_from_ts(ts, necessary)``: an HL7 timestamp as FHIR date.

https://hl7.org/fhir/R4/datatypes.html#date
"""

from __future__ import annotations

from fhir_bridge.errors import Issue, Severity
from fhir_bridge.fhir.marks import NULL, is_null
from fhir_bridge.map_functions.reading.timestamps import read_timestamp

RESULT = "date"


def date_from_ts(ts: str | None, necessary: bool | None = None) -> str | Issue | None:
    """The date of an HL7 timestamp: ``19800102`` is 1980-01-02, ``198001`` is 1980-01.

    Nothing from an absent value; FB-2126 when the digits are no date: a warning, an error
    where the element is `necessary` (who a person is, or whether they live, hangs on it).
    """
    if not ts:
        return None
    found = read_timestamp(str(ts))
    if found is None:
        severity: Severity = "error" if necessary else "warning"
        return NULL if is_null(ts) else Issue("FB-2126", severity, details={"type": "date"})
    return found.date

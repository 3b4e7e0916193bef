"""``range_low(text)``: the lower limit of a reference range in words (HL7 v2.5.1, OBX-7)."""

from __future__ import annotations

from fhir_bridge.fhir.marks import NULL, is_null
from fhir_bridge.map_functions.reading.limits import read_limits

RESULT = "decimal"


def range_low(text: str | None) -> str | None:
    """The lower limit; nothing when the words say none.

    >>> range_low("3.5-9.50"), range_low("<10"), range_low("阴性")
    ('3.5', None, None)
    """
    limit = read_limits(str(text))[0] if text else None
    return NULL if limit is None and is_null(text) else limit

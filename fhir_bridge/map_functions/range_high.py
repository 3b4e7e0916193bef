"""``range_high(text)``: the upper limit of a reference range in words (HL7 v2.5.1, OBX-7)."""

from __future__ import annotations

from fhir_bridge.fhir.marks import NULL, is_null
from fhir_bridge.map_functions.reading.limits import read_limits

RESULT = "decimal"


def range_high(text: str | None) -> str | None:
    """The upper limit; nothing when the words say none.

    >>> range_high("3.5-9.50"), range_high("<10"), range_high("阴性")
    ('9.50', '10', None)
    """
    limit = read_limits(str(text))[1] if text else None
    return NULL if limit is None and is_null(text) else limit

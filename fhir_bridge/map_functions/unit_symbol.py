"""``unit_symbol(unit)``: the code of a unit of HL7 v2 (OBX-6), a power of ten as a whole."""

from __future__ import annotations

from typing import Any

from fhir_bridge.map_functions.reading.unit_field import read_unit

RESULT = "string"


def unit_symbol(unit: Any) -> str | None:
    """Component 1, or the whole field when it begins a power of ten (``10^9/L``).

    >>> unit_symbol("mmol/L")
    'mmol/L'
    """
    return read_unit(unit)[0]

"""``unit_text(unit)``: a unit of HL7 v2 (OBX-6) in words, for people."""

from __future__ import annotations

from typing import Any

from fhir_bridge.map_functions.reading.unit_field import read_unit

RESULT = "string"


def unit_text(unit: Any) -> str | None:
    """The name (component 2) or else the code (component 1); a power of ten as a whole.

    >>> unit_text("mmol/L")
    'mmol/L'
    """
    symbol, name = read_unit(unit)
    return (symbol if name is None else name) or None

"""``unit_symbol(unit)``: the code of a unit of HL7 v2 (OBX-6), a power of ten as a whole."""

from __future__ import annotations

from typing import Any

RESULT = "string"


def unit_symbol(unit: Any) -> str | None:
    """Component 1, or the whole field when it begins a power of ten (``10^9/L``).

    >>> unit_symbol("mmol/L")
    'mmol/L'
    """
    if unit is None or not hasattr(unit, "get"):
        return str(unit) if unit else None
    code = unit.get("c1")
    if code is not None and str(code) == "10":
        return str(unit.get("raw"))
    return None if code is None else str(code)

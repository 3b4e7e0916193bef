"""``unit_text(unit)``: a unit of HL7 v2 (OBX-6) in words, for people.

HL7 v2.5.1 section 7.4.2.6.  ``10^9/L`` is often sent without escaping its caret, so that it
falls apart into components; such a unit is one text again.
"""

from __future__ import annotations

from typing import Any

RESULT = "string"


def unit_text(unit: Any) -> str | None:
    """The name (component 2) or else the code (component 1); a power of ten as a whole.

    >>> unit_text("mmol/L")
    'mmol/L'
    """
    if unit is None or not hasattr(unit, "get"):
        return str(unit) if unit else None
    code = unit.get("c1")
    if code is not None and str(code) == "10":
        return str(unit.get("raw"))
    name = unit.get("c2")
    return str(name if name is not None else code or unit) or None

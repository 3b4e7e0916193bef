"""The unit of a measured value in HL7 v2 (OBX-6, CWE): its symbol and its name.

HL7 v2.5.1 section 7.4.2.6.  ``10^9/L`` is often sent without escaping its caret, so that it
falls apart into components; such a unit is one text again.
"""

from __future__ import annotations

from typing import Any

__all__ = ["read_unit"]


def read_unit(unit: Any) -> tuple[str | None, str | None]:
    """The symbol (component 1; a power of ten as a whole) and the name (component 2).

    >>> read_unit("mmol/L"), read_unit(None)
    (('mmol/L', None), (None, None))
    """
    if unit is None or not hasattr(unit, "get"):
        return (str(unit) if unit else None), None
    symbol, name = unit.get("c1"), unit.get("c2")
    if symbol is not None and str(symbol) == "10":
        return str(unit.get("raw")), None
    return (None if symbol is None else str(symbol)), (None if name is None else str(name))

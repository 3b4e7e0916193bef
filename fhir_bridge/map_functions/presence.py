"""``presence(words)``: whether words name something, say that there is nothing, or do not know."""

from __future__ import annotations

from fhir_bridge.fhir.marks import NULL, is_null
from fhir_bridge.tables import is_unknown, says_nothing

RESULT = "string"


def presence(words: str | None) -> str | None:
    """``present``, ``none`` (无, 否认…, nil) or ``unknown`` (不详); nothing from an absent text.

    >>> presence("青霉素"), presence("否认食物过敏史"), presence("不详")
    ('present', 'none', 'unknown')
    """
    if not words:
        return None
    text = str(words)
    if is_null(text):
        return NULL
    if not says_nothing(text):
        return "present"
    return "unknown" if is_unknown(text) else "none"

"""``mod31_3(text)``: whether the last of 18 characters checks modulo 31 with weights 3^i.

The scheme of GB 32100-2015 over an alphabet of 31 characters (no I, O, S, V, Z).
"""

from __future__ import annotations

from fhir_bridge.fhir.marks import is_null

RESULT = "boolean"

_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def mod31_3(text: str | None) -> bool | None:
    """Whether `text` is right; nothing from an absent value.

    >>> mod31_3("91350100M000100Y43"), mod31_3("91350100M000100Y44")
    (True, False)
    """
    if not text or is_null(text):
        return None
    code = str(text).upper()
    if len(code) != 18 or any(character not in _ALPHABET for character in code):
        return False
    total = sum(
        _ALPHABET.index(character) * pow(3, index, 31) for index, character in enumerate(code[:17])
    )
    return _ALPHABET[(31 - total % 31) % 31] == code[17]

"""``mod11_2(text)``: whether the last character is the ISO 7064 MOD 11-2 check character.

ISO/IEC 7064:2003, pure system MOD 11-2 (check characters 0-9 and X).
"""

from __future__ import annotations

from fhir_bridge.fhir.marks import is_null
from fhir_bridge.map_functions.reading.check_characters import mod_11_2_character

RESULT = "boolean"


def mod11_2(text: str | None) -> bool | None:
    """Whether `text` (digits, then its check character) is right.

    Nothing from an absent value.

    >>> mod11_2("11010519491231002X"), mod11_2("110105194912310021")
    (True, False)
    """
    if not text or is_null(text):
        return None
    body, check = str(text)[:-1], str(text)[-1:].upper()
    return mod_11_2_character(body) == check

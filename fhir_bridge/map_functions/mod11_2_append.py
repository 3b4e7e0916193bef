"""``mod11_2_append(text, insertion, position)``: text with its ISO 7064 MOD 11-2 character.

ISO/IEC 7064:2003, pure system MOD 11-2.
"""

from __future__ import annotations

from fhir_bridge.fhir.marks import NULL, is_null
from fhir_bridge.map_functions.reading.check_characters import mod_11_2_character

RESULT = "string"


def mod11_2_append(text: str | None, insertion: str = "", position: int = 0) -> str | None:
    """`text` with `insertion` put at `position` and the check character added.

    This is how a number of an older, shorter form (year of two digits, no check character)
    becomes the present one.  Nothing when `text` is absent or not all digits.

    >>> mod11_2_append("110105491231002", "19", 6)
    '11010519491231002X'
    """
    if not text:
        return None
    whole = f"{str(text)[:position]}{insertion}{str(text)[position:]}"
    check = mod_11_2_character(whole)
    if not check and is_null(text):
        return NULL
    return f"{whole}{check}" if check else None

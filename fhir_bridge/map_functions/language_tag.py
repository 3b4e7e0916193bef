"""``language_tag(code)``: the BCP 47 tag of a language that a sender codes by ISO 639.

https://hl7.org/fhir/R4/valueset-all-languages.html
"""

from __future__ import annotations

from fhir_bridge import terminology
from fhir_bridge.fhir.marks import NULL, is_null

RESULT = "code"


def language_tag(code: str | None) -> str | None:
    """The shortest tag; nothing for what is no code of a language.

    >>> language_tag("ENG"), language_tag("1")
    ('en', None)
    """
    if code is None:
        return None
    return NULL if is_null(code) else terminology.language_tag(str(code))

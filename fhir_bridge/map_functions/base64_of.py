"""``base64_of(text)``: a text as base64Binary (RFC 4648, section 4), by way of UTF-8."""

from __future__ import annotations

from base64 import b64encode

from fhir_bridge.fhir.marks import NULL, is_null

RESULT = "base64Binary"


def base64_of(text: str | None) -> str | None:
    """`text` in base64; nothing from an absent value.

    >>> base64_of("体检")
    '5L2T5qOA'
    """
    if not text or is_null(text):
        return NULL if text else None
    return b64encode(str(text).encode()).decode("ascii")

"""``base64_of_hex(text)``: bytes written as hexadecimal digits (HL7 v2 ED.4 ``Hex``) in base64.

HL7 v2.5.1 section 2.A.24, table 0299; RFC 4648 section 4.
"""

from __future__ import annotations

from base64 import b64encode
from binascii import Error, unhexlify

from fhir_bridge.errors import Issue
from fhir_bridge.fhir.marks import NULL, is_null

RESULT = "base64Binary"


def base64_of_hex(text: str | None) -> str | Issue | None:
    """The bytes of `text` in base64; FB-2126 (warning) when they are no pairs of digits.

    >>> base64_of_hex("255044 46")
    'JVBERg=='
    """
    if not text or is_null(text):
        return NULL if text else None
    try:
        return b64encode(unhexlify("".join(str(text).split()))).decode("ascii")
    except (Error, ValueError):
        return Issue("FB-2126", "warning", details={"type": "base64Binary"})

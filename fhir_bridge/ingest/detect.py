"""Which format bytes are in, judged by their first kilobytes.

Only for data that come without a named feed; a feed's format is never guessed.
"""

from __future__ import annotations

import re

from fhir_bridge.errors import BridgeError

__all__ = ["detect"]

_LOOKED_AT = 8192
_HL7V2 = re.compile(rb"\A[\x0b\s]*(?:MSH|FHS|BHS)[^A-Za-z0-9\s]")
_FHIR_XML = re.compile(rb"<[^>]*http://hl7\.org/fhir[\"']")
_XML = re.compile(rb"<\?xml|<(?:\w+:)?[A-Za-z_][\w.]*(?:\s|>|/)")
_RESOURCE = re.compile(rb'"resourceType"\s*:')
_DELIMITED = re.compile(rb"[,;\t|]")
_WORKBOOK = b"PK\x03\x04"


def detect(data: bytes) -> str:
    r"""``hl7v2``, ``cda``, ``fhir`` or ``table``; BridgeError FB-6001 when none fits.

    >>> detect(b"MSH|^~\\&|A"), detect(b'{"resourceType": "Patient"}'), detect(b"a,b")
    ('hl7v2', 'fhir', 'table')
    """
    start = data[:_LOOKED_AT].removeprefix(b"\xef\xbb\xbf")
    if start.startswith(_WORKBOOK):
        return "table"
    if b"\0" in start[:64]:  # UTF-16: the letters are what matters here
        start = start.replace(b"\0", b"").lstrip(b"\xff\xfe")
    if _HL7V2.match(start):
        return "hl7v2"
    text = start.lstrip()
    if text[:1] in {b"{", b"["}:
        return "fhir" if _RESOURCE.search(text) else "table"
    if _XML.search(text):
        return "fhir" if _FHIR_XML.search(text) else "cda"
    if _DELIMITED.search(text.partition(b"\n")[0]):
        return "table"
    raise BridgeError("FB-6001")

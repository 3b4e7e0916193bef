"""Which format bytes are in, judged by their first kilobytes.

Only for data that come without a named feed; a feed's format is never guessed.
"""

from __future__ import annotations

import re

from fhir_bridge.errors import BridgeError
from fhir_bridge.tables import is_dbf

__all__ = ["detect"]

_LOOKED_AT = 8192
_HL7V2 = re.compile(rb"\A[\x0b\s]*(?:MSH|FHS|BHS)[^A-Za-z0-9\s]")
_FHIR_XML = re.compile(rb"<[^<>]*http://hl7\.org/fhir[\"']")
_XML = re.compile(rb"<\?xml|<(?:\w+:)?[A-Za-z_][\w.]*(?:\s|>|/)")
_RESOURCE = re.compile(rb'"resourceType"\s*:')
_LINES = 20
_CELLS = re.compile(rb"([,;\t|])[^,;\t|]*\1")  # behind a title: two separators of one kind
_DELIMITED = re.compile(rb"[,;\t|]")
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # XLSX, and the old form


def detect(data: bytes) -> str:
    r"""``hl7v2``, ``cda``, ``fhir`` or ``table``; BridgeError FB-6001 when none fits.

    >>> detect(b"MSH|^~\\&|A"), detect(b'{"resourceType": "Patient"}'), detect(b"a,b")
    ('hl7v2', 'fhir', 'table')
    """
    start = data[:_LOOKED_AT].removeprefix(b"\xef\xbb\xbf")
    if start.startswith(_WORKBOOKS) or is_dbf(start):
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
    lines = text.split(b"\n", _LINES)[:_LINES]
    if _DELIMITED.search(lines[0]) or any(_CELLS.search(line) for line in lines):
        return "table"
    raise BridgeError("FB-6001")

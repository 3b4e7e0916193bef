"""``system_uri(name)``: the URI of an identifier or code system that a sender names.

https://hl7.org/fhir/R4/datatypes.html#uri: a system is absolute.
"""

from __future__ import annotations

import re

from fhir_bridge.fhir.marks import NULL, is_null
from fhir_bridge.terminology import uri_of

RESULT = "uri"

_OID = re.compile(r"[0-2](\.(0|[1-9][0-9]*)){3,}\Z")
_BLANKS = re.compile(r"\s+")
_OWN = "https://fhir-bridge.org/fhir/sid/"


def system_uri(name: str | None) -> str | None:
    """A URI as it is, an OID as its URI, any other name as one of ours, so that it is absolute.

    >>> system_uri("HOSP A"), system_uri("http://loinc.org")
    ('https://fhir-bridge.org/fhir/sid/HOSP-A', 'http://loinc.org')
    """
    text = str(name).strip() if name else ""
    if not text:
        return None
    if text.startswith(("http://", "https://", "urn:")):
        return text if not _BLANKS.search(text) else None
    if is_null(text):
        return NULL
    return uri_of(text) if _OID.match(text) else _OWN + _BLANKS.sub("-", text)

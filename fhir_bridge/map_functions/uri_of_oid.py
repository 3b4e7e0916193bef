"""``uri_of_oid(oid)``: the URI of a code system or identifier system by its OID.

https://terminology.hl7.org/identifiers.html
"""

from __future__ import annotations

from fhir_bridge.fhir.marks import NULL, is_null
from fhir_bridge.terminology import uri_of

RESULT = "uri"


def uri_of_oid(oid: str | None) -> str | None:
    """The URI that FHIR uses for the OID, else ``urn:oid:…``; nothing from an absent value."""
    if not oid or is_null(oid):
        return NULL if oid else None
    return uri_of(str(oid))

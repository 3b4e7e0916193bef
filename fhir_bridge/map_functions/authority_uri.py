"""``authority_uri(authority, …)``: the system of an identifier by who assigned it (HL7 v2 HD).

HL7 v2.5.1 section 2.A.33; v2-to-FHIR HD[uri].  The first of the parameters that names an
authority decides: the field's own, then the sender's facility and application.
"""

from __future__ import annotations

from typing import Any

from fhir_bridge.fhir.marks import is_null
from fhir_bridge.map_functions.system_uri import system_uri

RESULT = "uri"

_UUID = frozenset({"UUID", "GUID"})


def authority_uri(*authorities: Any) -> str | None:
    """The universal id (OID, UUID, URI) of the first authority that has one, else its name's URI.

    One that takes back names none.

    >>> authority_uri(None, "HOSP A")
    'https://fhir-bridge.org/fhir/sid/HOSP-A'
    """
    for authority in authorities:
        if authority is None:
            continue
        if not hasattr(authority, "get"):
            if authority and not is_null(authority):
                return system_uri(str(authority))
            continue
        found = _of_parts(authority.get("s1"), authority.get("s2"), authority.get("s3"))
        if found is None and authority.get("c2") is not None:
            found = _of_parts(authority.get("c1"), authority.get("c2"), authority.get("c3"))
        if found is not None:
            return found
    return None


def _of_parts(name: Any, universal: Any, kind: Any) -> str | None:
    if universal and not is_null(universal):
        if kind and str(kind).upper() in _UUID:
            return f"urn:uuid:{str(universal).lower()}"
        if kind and str(kind).upper() == "DNS":
            return f"http://{universal}"
        return system_uri(str(universal))
    return system_uri(str(name)) if name and not is_null(name) else None

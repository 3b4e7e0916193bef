"""``entity_uri(entity, …)``: the system of an entity identifier (HL7 v2 EI).

HL7 v2.5.1 section 2.A.28: namespace, universal id and its type are components 2 to 4.
"""

from __future__ import annotations

from typing import Any

from fhir_bridge.fhir.marks import is_null
from fhir_bridge.map_functions.authority_uri import authority_uri
from fhir_bridge.map_functions.system_uri import system_uri

RESULT = "uri"

_UUID = frozenset({"UUID", "GUID"})


def entity_uri(entity: Any, *senders: Any) -> str | None:
    """The system by the entity's own authority, else by the sender's."""
    if entity is not None and hasattr(entity, "get"):
        universal, kind = entity.get("c3"), entity.get("c4")
        if universal is not None and not is_null(universal):
            if kind is not None and str(kind).upper() in _UUID:
                return f"urn:uuid:{str(universal).lower()}"
            return system_uri(str(universal))
        name = entity.get("c2")
        if name is not None and not is_null(name):
            return system_uri(str(name))
    return authority_uri(*senders)

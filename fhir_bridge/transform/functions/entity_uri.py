"""``entity_uri(entity, …)``: the system of an entity identifier (HL7 v2 EI).

HL7 v2.5.1 section 2.A.28: namespace, universal id and its type are components 2 to 4.
"""

from __future__ import annotations

from typing import Any

from fhir_bridge.transform.functions.authority_uri import authority_uri
from fhir_bridge.transform.functions.system_uri import system_uri

RESULT = "uri"

_UUID = frozenset({"UUID", "GUID"})


def entity_uri(entity: Any, *senders: Any) -> str | None:
    """The system by the entity's own authority, else by the sender's."""
    if entity is not None and hasattr(entity, "get"):
        universal, kind = entity.get("c3"), entity.get("c4")
        if universal is not None:
            if kind is not None and str(kind).upper() in _UUID:
                return f"urn:uuid:{str(universal).lower()}"
            return system_uri(str(universal))
        if entity.get("c2") is not None:
            return system_uri(str(entity.get("c2")))
    return authority_uri(*senders)

"""The lasting id of what an entry describes, which follows from the entry alone.

The identifier of a conditional request comes first, else the first identifier, else what the
container of the entry (a document, a row) holds there, else the place in the record's
content.  So a resend, or a later message about the same visit, order or agreement, meets the
same resource, and a reference may come before its target.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any
from urllib.parse import unquote

from fhir_bridge import clock
from fhir_bridge.fhir import Resource, render_json
from fhir_bridge.fhir.marks import NULL

__all__ = [
    "SHARED",
    "business_id",
    "content_id",
    "entry_id",
    "without_places",
]

SHARED = frozenset(
    [
        "Device",
        "Endpoint",
        "HealthcareService",
        "Location",
        "Medication",
        "Organization",
        "Practitioner",
        "PractitionerRole",
    ]
)
"""What many sources mention in passing: institutions, staff, places."""

_CONDITIONAL = re.compile(r"(?:([A-Z][A-Za-z]+)\?)?(?:.*&)?identifier=([^&]*)")


def business_id(resource_type: str, system: str, value: str, owner: str = "") -> str:
    """The id of the business thing that identifier (system, value) names.

    The system makes it unique; without one the feed's owner does.
    """
    return clock.stable_id(system or owner, resource_type, f"{system}|{value}")


def entry_id(entry: dict[str, Any], resource: Resource, owner: str) -> str | None:
    """The id by an entry's identifier; None without one, "" where it is taken back."""
    kind = resource["resourceType"]
    request = entry.get("request")
    if isinstance(request, dict):
        for text in (request.get("ifNoneExist"), request.get("url")):
            found = _CONDITIONAL.fullmatch(text) if isinstance(text, str) else None
            if found:
                system, _, value = unquote(found[2]).rpartition("|")
                return "" if NULL in found[2] else business_id(kind, system, value, owner)
    identifiers = resource.get("identifier")
    if isinstance(identifiers, dict):
        identifiers = [identifiers]
    for identifier in identifiers or ():
        value = str(identifier.get("value") or "")
        if value:
            system = str(identifier.get("system", ""))
            if NULL in value or NULL in system:
                return ""
            return business_id(kind, system, value, owner)
    return None


def resolve_conditional(reference: str, owner: str) -> tuple[str, str, str] | None:
    """What ``Type?identifier=system|value`` leads to: (``Type/id``, system, value).

    None for anything else.  Persons are never found so: whose number it is the linker decides.
    """
    found = _CONDITIONAL.fullmatch(reference)
    if not found or not found[1] or found[1] == "Patient":
        return None
    system, _, value = unquote(found[2]).rpartition("|")
    return f"{found[1]}/{business_id(found[1], system, value, owner)}", system, value


def content_id(resource: Resource, container: str) -> str:
    """The id of a part that has no number, by its content within its container."""
    digest = hashlib.blake2b(render_json(without_places(resource)), digest_size=16).hexdigest()
    return clock.stable_id(container, str(resource["resourceType"]), digest)


def without_places(node: Any) -> Any:
    """`node` without references to entries of its own message, whose names are new each time."""
    if isinstance(node, dict):
        return {
            key: without_places(value)
            for key, value in node.items()
            if not (key == "reference" and str(value).startswith("urn:uuid:")) and key != "meta"
        }
    if isinstance(node, list):
        return [without_places(item) for item in node]
    return node

"""A patch applied to a resource, in whichever of the three languages it is written.

https://hl7.org/fhir/R4/http.html#patch
"""

from __future__ import annotations

from typing import Any

from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import Resource, parse_json
from fhir_bridge.interactions.patch.fhirpath_patch import apply_fhirpath_patch
from fhir_bridge.interactions.patch.json_patch import apply_json_patch, without_empty
from fhir_bridge.interactions.patch.xml_patch import apply_xml_patch
from fhir_bridge.interactions.request import JSON_PATCH, XML_PATCH, Request
from fhir_bridge.store import Stored

__all__ = ["Patches", "apply_patch"]


class Patches:
    """What a patch makes of each version it is asked for, worked out before the transaction.

    The languages of patches are programs of clients; in the transaction nothing is evaluated.
    """

    def __init__(self) -> None:
        self._made: dict[tuple[str, str, int], Resource] = {}

    def prepare(self, stored: Stored, request: Request) -> None:
        """Work it out for this version."""
        key = (stored.resource_type, stored.id, stored.version)
        self._made[key] = apply_patch(parse_json(stored.body), request)

    def of(self, stored: Stored) -> Resource:
        """What was made of this version.

        Raises BridgeError FB-5003 for a version that somebody has written since: it is worked
        out anew outside.
        """
        made = self._made.get((stored.resource_type, stored.id, stored.version))
        if made is None:
            raise BridgeError("FB-5003")
        return made


def apply_patch(resource: Resource, request: Request) -> Resource:
    """`resource` after the patch in the body; the media type says which language it is."""
    after: Any
    if request.body is None:
        raise BridgeError("FB-4013", expected="a patch")
    _require_patch(request.body, request.media)
    if request.media == JSON_PATCH:
        after = without_empty(apply_json_patch(resource, request.body), request.body)
    elif request.media == XML_PATCH:
        after = apply_xml_patch(resource, request.body)
    else:
        after = apply_fhirpath_patch(resource, request.body)
    if not isinstance(after, dict):
        raise BridgeError("FB-4020", reason="what the patch leaves is not a resource")
    for name in ("resourceType", "id"):
        if after.get(name) != resource.get(name):
            reason = "a patch cannot change the identity"
            raise BridgeError("FB-4023", path=name, reason=reason)
    return after


def _require_patch(body: Any, media: str) -> None:
    """Refuse what is no patch, most often a part of a resource as other interfaces take it (FB-4034)."""
    if media == XML_PATCH:
        return
    found = ""
    if media == JSON_PATCH:
        found = "an object and no list of operations" if isinstance(body, dict) else ""
    elif isinstance(body, list):
        found = "a list"
    elif not isinstance(body, dict) or body.get("resourceType") != "Parameters":
        named = body.get("resourceType") if isinstance(body, dict) else None
        found = f"a {named} or a part of one" if isinstance(named, str) else "a part of a resource"
    if found:
        raise BridgeError("FB-4034", found=found[:120], media=media)

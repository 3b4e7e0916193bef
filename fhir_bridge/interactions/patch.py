"""patch: change parts of a resource, by JSON Patch, XML Patch or FHIRPath Patch, and conditionally.

https://hl7.org/fhir/R4/http.html#patch
"""

from __future__ import annotations

from typing import Any

from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import Resource, parse_json
from fhir_bridge.interactions.conditional import find_match
from fhir_bridge.interactions.conditions import wanted_version
from fhir_bridge.interactions.context import Context
from fhir_bridge.interactions.fhirpath_patch import apply_fhirpath_patch
from fhir_bridge.interactions.json_patch import apply_json_patch, without_empty
from fhir_bridge.interactions.reply import Reply
from fhir_bridge.interactions.request import JSON_PATCH, XML_PATCH, Request
from fhir_bridge.interactions.routes import Route
from fhir_bridge.interactions.write import tried_again, write, write_reply
from fhir_bridge.interactions.xml_patch import apply_xml_patch
from fhir_bridge.store import Stored, Transaction

__all__ = ["INTERACTIONS", "apply_patch", "patch", "patch_conditional"]


def patch(request: Request, route: Route, context: Context) -> Reply:
    """200 with the new version; all operations of the patch are applied or none."""
    context.require_write(route.resource_type)

    def work(inside: Context, _opened: Transaction) -> Reply:
        return _patched(request, inside.read(route.resource_type, route.id), inside)

    return context.transact(work)


def patch_conditional(request: Request, route: Route, context: Context) -> Reply:
    """Patch the one resource that the query finds (404 for none, 412 for several)."""
    context.require_write(route.resource_type)

    def work(inside: Context, _opened: Transaction) -> Reply:
        match = find_match(inside, route.resource_type, request.query, "of the URL")
        if match is None:
            raise BridgeError("FB-4001", resource_type=route.resource_type, id="of the condition")
        return _patched(request, match, inside)

    return context.transact(work)


def _patched(request: Request, stored: Stored, context: Context) -> Reply:
    context.require_conditions(request.headers, stored.resource_type, stored.id)
    wanted = wanted_version(request.headers)
    before = parse_json(stored.body)
    after = apply_patch(before, request)
    # The version that was patched must still be the present one, whatever the client asked.
    with tried_again(unless=wanted is not None):
        written = write(context, after, if_match=stored.version if wanted is None else wanted)
    return write_reply(written, request.prefer.returns)


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


INTERACTIONS = {"patch": patch, "patch-conditional": patch_conditional}

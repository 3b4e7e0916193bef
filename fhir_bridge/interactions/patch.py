"""patch: change parts of a resource, by JSON Patch, XML Patch or FHIRPath Patch, and conditionally.

https://hl7.org/fhir/R4/http.html#patch
"""

from __future__ import annotations

from collections.abc import Callable
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

__all__ = ["INTERACTIONS", "Patches", "apply_patch", "patch", "patch_conditional"]


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


def patch(request: Request, route: Route, context: Context) -> Reply:
    """200 with the new version; all operations of the patch are applied or none."""
    return _patched(
        request, context, route, lambda where: where.read(route.resource_type, route.id)
    )


def patch_conditional(request: Request, route: Route, context: Context) -> Reply:
    """Patch the one resource that the query finds (404 for none, 412 for several)."""

    def found(where: Context) -> Stored:
        match = find_match(where, route.resource_type, request.query, "of the URL")
        if match is None:
            raise BridgeError("FB-4001", resource_type=route.resource_type, id="of the condition")
        return match

    return _patched(request, context, route, found)


def _patched(
    request: Request, context: Context, route: Route, find: Callable[[Context], Stored]
) -> Reply:
    """Patch what `find` finds, if it is still the version that was patched."""
    context.require_write(route.resource_type)
    wanted = wanted_version(request.headers)
    patches = Patches()

    def required(where: Context) -> Stored:
        stored = find(where)
        where.require_conditions(request.headers, stored.resource_type, stored.id)
        return stored

    def work(inside: Context, _opened: Transaction) -> Reply:
        stored = required(inside)
        version = stored.version if wanted is None else wanted
        with tried_again(unless=wanted is not None):
            written = write(inside, patches.of(stored), if_match=version)
        return write_reply(written, request.prefer.returns)

    return context.transact(work, before=lambda: patches.prepare(required(context), request))


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

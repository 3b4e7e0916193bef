"""update: a new version under a known id, update-as-create, and the conditional form.

https://hl7.org/fhir/R4/http.html#update, https://hl7.org/fhir/R4/http.html#upsert,
https://hl7.org/fhir/R4/http.html#cond-update
"""

from __future__ import annotations

from fhir_bridge import clock
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import Resource
from fhir_bridge.interactions.conditional import find_match
from fhir_bridge.interactions.conditions import must_be_new, wanted_version
from fhir_bridge.interactions.context import Context
from fhir_bridge.interactions.reply import Reply
from fhir_bridge.interactions.request import Request
from fhir_bridge.interactions.routes import ID, Route
from fhir_bridge.interactions.write import required_resource, write, write_reply
from fhir_bridge.store import Transaction

__all__ = ["update", "update_conditional"]


def update(request: Request, route: Route, context: Context) -> Reply:
    """200 with the new version, or 201 when the id was free.

    A resource equal to the present version makes no new one.  With ``If-Match`` the present
    version must be the one named (428 without it where the settings ask for it), with ``If-None-Match: *`` there must be none (412 otherwise).
    """
    if not ID.fullmatch(route.id):
        raise BridgeError("FB-4026", id=route.id[:80])
    resource = required_resource(request, route)
    if resource.get("id") != route.id:
        raise BridgeError("FB-4009", id=route.id)
    return _put(request, resource, context)


def update_conditional(request: Request, route: Route, context: Context) -> Reply:
    """Update the one resource that the query finds; create when it finds none."""
    resource = required_resource(request, route)

    def work(inside: Context, _opened: Transaction) -> Reply:
        match = find_match(inside, route.resource_type, request.query, "of the URL")
        given = resource.get("id")
        if match is not None and given not in (None, match.id):
            raise BridgeError("FB-4009", id=match.id)
        id_ = match.id if match else given or clock.fresh_id()
        if match is None and given is not None:
            _require_free(inside, route.resource_type, str(given))
        return _put(request, {**resource, "id": id_}, inside)

    return context.transact(work)


def _put(request: Request, resource: Resource, context: Context) -> Reply:
    def work(inside: Context, _opened: Transaction) -> Reply:
        headers = request.headers
        place = str(resource["resourceType"]), str(resource["id"])
        inside.require_changeable(*place)
        inside.require_conditions(headers, *place)
        inside.require_version(headers, *place)
        written = write(
            inside, resource, if_match=wanted_version(headers), create_only=must_be_new(headers)
        )
        inside.require_reach("u", *place)
        return write_reply(written, request.prefer.returns)

    return context.transact(work)


def _require_free(context: Context, resource_type: str, id_: str) -> None:
    """R4: no match, id given, and the id is taken: the condition missed its own resource."""
    if not ID.fullmatch(id_):
        raise BridgeError("FB-4026", id=id_[:80])
    found = context.find_stored(resource_type, id_, "u")
    if found is not None and not found.deleted:
        raise BridgeError("FB-4011", count="Other", condition=f"with the id {id_}")

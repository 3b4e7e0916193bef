"""vread: one version of a resource.

https://hl7.org/fhir/R4/http.html#vread
"""

from __future__ import annotations

from fhir_bridge.errors import BridgeError
from fhir_bridge.interactions.conditions import is_unchanged
from fhir_bridge.interactions.context import Context
from fhir_bridge.interactions.reply import Reply, unchanged
from fhir_bridge.interactions.request import Request
from fhir_bridge.interactions.routes import ID, VERSION, Route
from fhir_bridge.interactions.subset import of_part

__all__ = ["vread"]


def vread(request: Request, route: Route, context: Context) -> Reply:
    """The stored bytes of that version (304 when the client has it); 410 for the version that is a deletion."""
    stored = None
    if VERSION.fullmatch(route.version) and ID.fullmatch(route.id):
        stored = context.store.vread(
            route.resource_type, route.id, int(route.version), context.access
        )
    if stored is None:
        place = f"{route.id}/_history/{route.version}"[:130]
        raise BridgeError("FB-4001", resource_type=route.resource_type, id=place)
    if stored.deleted:
        raise BridgeError("FB-4002", resource_type=route.resource_type, id=route.id)
    if is_unchanged(request.headers, stored.version, stored.last_updated):
        return unchanged(stored)
    return of_part(stored, request.query)

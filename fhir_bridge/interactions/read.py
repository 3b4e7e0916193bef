"""read: the present version of a resource, and the conditional read of a client's cache.

https://hl7.org/fhir/R4/http.html#read, https://hl7.org/fhir/R4/http.html#cread
"""

from __future__ import annotations

from fhir_bridge.interactions.conditions import is_unchanged
from fhir_bridge.interactions.context import Context
from fhir_bridge.interactions.reply import Reply, unchanged
from fhir_bridge.interactions.request import Request
from fhir_bridge.interactions.routes import Route
from fhir_bridge.interactions.subset import of_part

__all__ = ["read"]


def read(request: Request, route: Route, context: Context) -> Reply:
    """The stored bytes; 304 when ``If-None-Match`` or ``If-Modified-Since`` says so."""
    stored = context.read(route.resource_type, route.id)
    if is_unchanged(request.headers, stored.version, stored.last_updated):
        return unchanged(stored)
    return of_part(stored, request.query)

"""From a request to the interaction that answers it.

https://hl7.org/fhir/R4/http.html#summary
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from fhir_bridge.interactions.allowed import require_allowed
from fhir_bridge.interactions.bare import require_bare
from fhir_bridge.interactions.bundle import batch
from fhir_bridge.interactions.capabilities import capabilities
from fhir_bridge.interactions.context import Context
from fhir_bridge.interactions.create import create
from fhir_bridge.interactions.delete import delete, delete_conditional
from fhir_bridge.interactions.history import history
from fhir_bridge.interactions.interaction import Interaction
from fhir_bridge.interactions.patch import patch, patch_conditional
from fhir_bridge.interactions.read import read
from fhir_bridge.interactions.reply import Reply
from fhir_bridge.interactions.request import Request
from fhir_bridge.interactions.routes import Route, route
from fhir_bridge.interactions.search import search
from fhir_bridge.interactions.update import update, update_conditional
from fhir_bridge.interactions.vread import vread

__all__ = ["INTERACTIONS", "perform", "perform_route"]


def perform(request: Request, context: Context) -> Reply:
    """Carry out `request`.  Raises BridgeError for whatever keeps it from succeeding."""
    found = route(request.method, request.path, context.definitions.resource_types)
    return perform_route(request, found, context)


def perform_route(request: Request, route: Route, context: Context) -> Reply:
    """The same for a request whose route is known."""
    require_allowed(request, route, context.access, context.definitions.resource_types)
    if route.interaction == "operation":
        return context.operate(request, route, context)
    require_bare(request, route)
    return INTERACTIONS[route.interaction](request, route, context)


def _batch(request: Request, _route: Route, context: Context) -> Reply:
    """A Bundle, whose entries are performed as requests of their own are."""
    return batch(request, context, perform_route)


INTERACTIONS: Mapping[str, Interaction] = MappingProxyType(
    {
        "batch": _batch,
        "capabilities": capabilities,
        "create": create,
        "delete": delete,
        "delete-conditional": delete_conditional,
        "history-instance": history,
        "history-system": history,
        "history-type": history,
        "patch": patch,
        "patch-conditional": patch_conditional,
        "read": read,
        "search-compartment": search,
        "search-system": search,
        "search-type": search,
        "update": update,
        "update-conditional": update_conditional,
        "vread": vread,
    }
)
"""Every interaction by the name of its route."""

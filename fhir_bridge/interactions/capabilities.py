"""capabilities: what this server does.

https://hl7.org/fhir/R4/http.html#capabilities
"""

from __future__ import annotations

from fhir_bridge.interactions.context import Context
from fhir_bridge.interactions.reply import Reply
from fhir_bridge.interactions.request import Request
from fhir_bridge.interactions.routes import Route

__all__ = ["INTERACTIONS", "capabilities"]


def capabilities(_request: Request, _route: Route, context: Context) -> Reply:
    """The CapabilityStatement, which the edge builds from what is really served."""
    return Reply(200, context.capabilities())


INTERACTIONS = {"capabilities": capabilities}

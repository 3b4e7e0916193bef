"""capabilities: what this server does.

https://hl7.org/fhir/R4/http.html#capabilities
"""

from __future__ import annotations

from fhir_bridge.interactions.context import Context
from fhir_bridge.interactions.reply import Reply
from fhir_bridge.interactions.request import Request
from fhir_bridge.interactions.routes import Route
from fhir_bridge.interactions.subset import parse_subset

__all__ = ["capabilities"]


def capabilities(request: Request, _route: Route, context: Context) -> Reply:
    """The CapabilityStatement, which the edge builds from what is really served.

    ``_summary`` and ``_elements`` ask for a part of it, as of any resource.
    """
    parameters = dict(request.query)
    subset = parse_subset(
        parameters.get("_summary", ""), parameters.get("_elements", ""), "CapabilityStatement"
    )
    statement = context.capabilities()
    return Reply(200, statement if subset is None else subset.apply(statement))

"""The RESTful interactions of FHIR R4: a request value in, a reply value out.

Read in this order: `request`, `routes` (URL grammar), `dispatch` (which interaction), then
one file for each interaction (`read`, `vread`, `create`, `update`, `delete`, `history`, `search`,
`capabilities`) or a folder (`patch` with its languages, `bundle` with batch and transaction).
No HTTP library is known here: the edge turns HTTP into requests and replies into HTTP.
"""

from fhir_bridge.interactions.conditions import etag, http_date
from fhir_bridge.interactions.context import KEPT_TYPES, Context, RestSettings
from fhir_bridge.interactions.dispatch import INTERACTIONS, perform, perform_route
from fhir_bridge.interactions.failure import Validation, failure
from fhir_bridge.interactions.reply import Reply, of_resource
from fhir_bridge.interactions.request import (
    FORM,
    JSON_PATCH,
    XML_PATCH,
    Request,
    require_text,
    split_url,
)
from fhir_bridge.interactions.routes import ID, Route, allowed_methods, route
from fhir_bridge.interactions.subset import Subset, parse_subset

__all__ = [
    "FORM",
    "ID",
    "INTERACTIONS",
    "JSON_PATCH",
    "KEPT_TYPES",
    "XML_PATCH",
    "Context",
    "Reply",
    "Request",
    "RestSettings",
    "Route",
    "Subset",
    "Validation",
    "allowed_methods",
    "etag",
    "failure",
    "http_date",
    "of_resource",
    "parse_subset",
    "perform",
    "perform_route",
    "require_text",
    "route",
    "split_url",
]

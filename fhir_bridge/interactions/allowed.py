"""What each interaction needs: the one place where a request is refused before anything is asked.

The letters are those of SMART (`fhir_bridge.access`): a type that nothing allows is refused whether
there are resources or not.  Which of them the caller may reach is said inside every query.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from fhir_bridge.access import Access
from fhir_bridge.errors import BridgeError
from fhir_bridge.interactions.request import Request
from fhir_bridge.interactions.routes import Route

__all__ = ["NEEDED", "require_allowed"]

NEEDED: Mapping[str, str] = MappingProxyType(
    {
        "batch": "",
        "capabilities": "",
        "create": "c",
        "delete": "d",
        "delete-conditional": "sd",
        "history-instance": "r",
        "history-system": "s",
        "history-type": "s",
        "operation": "",
        "patch": "u",
        "patch-conditional": "su",
        "read": "r",
        "search-compartment": "s",
        "search-system": "s",
        "search-type": "s",
        "update": "u",
        "update-conditional": "su",
        "vread": "r",
    }
)
"""The letters that an interaction needs; entries of a Bundle need theirs, operations say what they do."""


def require_allowed(request: Request, route: Route, access: Access, types: Iterable[str]) -> None:
    """Refuse a request about a type that nothing allows (FB-4204); `types` are all that there are."""
    if access.is_everything:
        return
    letters = NEEDED[route.interaction]
    if route.interaction == "create" and "if-none-exist" in request.headers:
        letters += "s"
    if route.resource_type and route.resource_type != "*":
        access.require(route.resource_type, letters)
        return
    for name, value in request.query if letters == "s" else ():
        if name == "_type":
            for each in value.split(","):
                access.require(each.strip(), letters)
    if letters and not any(access.allows(each, letters) for each in types):
        raise BridgeError("FB-4204", interaction="search", resource_type="any")

"""Addresses of single changes take no search parameters.

https://hl7.org/fhir/R4/http.html#ccreate: a conditional create names its condition in the
header ``If-None-Exist``.  Some clients put it into the address instead; to ignore it there
would make a duplicate without a word.
"""

from __future__ import annotations

from fhir_bridge.errors import BridgeError
from fhir_bridge.interactions.request import Request
from fhir_bridge.interactions.routes import Route

__all__ = ["require_bare"]

_BARE = frozenset({"create", "update", "patch", "delete", "batch"})
_OF_THE_ANSWER = frozenset({"_format", "_pretty", "_summary", "_elements"})


def require_bare(request: Request, route: Route) -> None:
    """Raises BridgeError FB-4032 for a parameter that the interaction would not read."""
    if route.interaction not in _BARE:
        return
    for name, _ in request.query:
        if name not in _OF_THE_ANSWER:
            raise BridgeError("FB-4032", name=name[:64], interaction=route.interaction)

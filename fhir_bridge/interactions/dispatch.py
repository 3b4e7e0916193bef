"""From a request to the interaction that answers it.  Interactions are found, not listed.

https://hl7.org/fhir/R4/http.html#summary

A module of this package that defines ``INTERACTIONS`` (route name -> function) takes part.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path

from fhir_bridge.interactions.bare import require_bare
from fhir_bridge.interactions.context import Context
from fhir_bridge.interactions.reply import Reply
from fhir_bridge.interactions.request import Request
from fhir_bridge.interactions.routes import Route, route

__all__ = ["Interaction", "interactions", "perform", "perform_route"]

Interaction = Callable[[Request, Route, Context], Reply]


def perform(request: Request, context: Context) -> Reply:
    """Carry out `request`.  Raises BridgeError for whatever keeps it from succeeding."""
    found = route(request.method, request.path, context.definitions.resource_types)
    return perform_route(request, found, context)


def perform_route(request: Request, found: Route, context: Context) -> Reply:
    """The same for a request whose route is known."""
    if found.interaction == "operation":
        return context.operate(request, found, context)
    require_bare(request, found)
    return interactions()[found.interaction](request, found, context)


@cache
def interactions() -> Mapping[str, Interaction]:
    """All interactions by route name."""
    table: dict[str, Interaction] = {}
    for module in pkgutil.iter_modules([str(Path(__file__).parent)]):
        loaded = import_module(f"{__package__}.{module.name}")
        table.update(getattr(loaded, "INTERACTIONS", {}))
    return table

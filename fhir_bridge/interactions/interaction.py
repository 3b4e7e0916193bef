"""What an interaction is: a request and its route in, a reply out."""

from __future__ import annotations

from collections.abc import Callable

from fhir_bridge.interactions.context import Context
from fhir_bridge.interactions.reply import Reply
from fhir_bridge.interactions.request import Request
from fhir_bridge.interactions.routes import Route

__all__ = ["Interaction"]

Interaction = Callable[[Request, Route, Context], Reply]

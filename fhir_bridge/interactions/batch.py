"""batch, and the door through which a transaction comes: a Bundle posted to the base.

https://hl7.org/fhir/R4/http.html#transaction
"""

from __future__ import annotations

from typing import Any

from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import bundle, render_json
from fhir_bridge.interactions.context import Context
from fhir_bridge.interactions.dispatch import perform_route
from fhir_bridge.interactions.entry import answer, bundle_entries, located, read_entry
from fhir_bridge.interactions.reply import Reply
from fhir_bridge.interactions.request import Request
from fhir_bridge.interactions.routes import Route
from fhir_bridge.interactions.transaction import transaction

__all__ = ["INTERACTIONS", "batch"]


def batch(request: Request, _route: Route, context: Context) -> Reply:
    """The answers of the entries in their order; each succeeds or fails on its own."""
    received = request.body
    kind = received.get("type") if isinstance(received, dict) else None
    if kind not in ("batch", "transaction") or received.get("resourceType") != "Bundle":
        raise BridgeError("FB-4013", expected="a Bundle of type batch or transaction")
    if kind == "transaction":
        return transaction(request, received, context)
    answers = [
        answer(_attempt(position, raw, request, context), context)
        for position, raw in enumerate(bundle_entries(received, context))
    ]
    return Reply(200, render_json(bundle.batch_response(answers)))


def _attempt(position: int, raw: Any, request: Request, context: Context) -> Reply:
    try:
        context.require_time()
        entry = read_entry(position, raw, request, context)
        return perform_route(entry.request, entry.route, context)
    except BridgeError as error:
        return context.render_error(located(error, f"Bundle.entry[{position}]"))
    except Exception as fault:  # one faulty entry must not hide the answers of the others
        return context.render_error(fault)


INTERACTIONS = {"batch": batch}

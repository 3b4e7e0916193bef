"""batch, and the door through which a transaction comes: a Bundle posted to the base.

https://hl7.org/fhir/R4/http.html#transaction
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import bundle, render_json, walk_references
from fhir_bridge.interactions.bundle.entry import (
    Entry,
    answer,
    bundle_entries,
    located,
    perform_entry,
    read_entry,
)
from fhir_bridge.interactions.bundle.transaction import transaction
from fhir_bridge.interactions.context import Context
from fhir_bridge.interactions.interaction import Interaction
from fhir_bridge.interactions.reply import Reply
from fhir_bridge.interactions.request import Request

__all__ = ["batch"]


def batch(request: Request, context: Context, perform: Interaction) -> Reply:
    """The answers of the entries in their order; each succeeds or fails on its own.

    `perform` carries out the request of one entry.
    """
    received = request.body
    kind = received.get("type") if isinstance(received, dict) else None
    if kind not in ("batch", "transaction") or received.get("resourceType") != "Bundle":
        raise BridgeError("FB-4013", expected="a Bundle of type batch or transaction")
    if kind == "transaction":
        return transaction(request, received, context, perform)
    entries = bundle_entries(received, context)
    created = {raw.get("fullUrl") for raw in entries if _is_creation(raw)}

    def reply_to(position: int, raw: Any) -> Reply:
        try:
            context.require_time()
            entry = read_entry(position, raw, request, context)
            _require_independent(entry, created)
            return perform_entry(entry, context, perform)
        except BridgeError as error:
            return context.render_error(located(error, f"Bundle.entry[{position}]"))
        except Exception as fault:  # one faulty entry must not hide the answers of the others
            return context.render_error(fault)

    answers = [answer(reply_to(position, raw), context) for position, raw in enumerate(entries)]
    return Reply(200, render_json(bundle.batch_response(answers)))


def _is_creation(raw: Any) -> bool:
    """Whether the entry is created under an id that its fullUrl does not tell."""
    told = raw.get("request") if isinstance(raw, dict) else None
    is_post = isinstance(told, dict) and told.get("method") == "POST"
    return is_post and isinstance(raw.get("fullUrl"), str)


def _require_independent(entry: Entry, created: Collection[Any]) -> None:
    """Refuse a reference to what another entry of the batch creates (FB-4016)."""
    for holder in walk_references(entry.request.body):
        if holder["reference"] in created and holder["reference"] != entry.full_url:
            reason = "it refers to another entry, and those of a batch are independent"
            raise BridgeError("FB-4016", reason=reason)

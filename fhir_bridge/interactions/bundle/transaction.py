"""transaction: a Bundle whose entries succeed or fail together.

https://hl7.org/fhir/R4/http.html#trules

The order is the specification's: conditions are resolved against what is there before,
then deletions, creations, updates and patches, then reads; conditional references are
resolved as soon as what they look for is written.  One database transaction holds it all.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import Resource, bundle, render_json, walk_references
from fhir_bridge.interactions.bundle.change import (
    Change,
    at_entry,
    is_change,
    require_distinct,
    resolve,
)
from fhir_bridge.interactions.bundle.entry import (
    Entry,
    answer,
    bundle_entries,
    located,
    perform_entry,
    read_entry,
)
from fhir_bridge.interactions.bundle.integrity import require_integrity, require_unreferenced
from fhir_bridge.interactions.bundle.linking import is_settled, link
from fhir_bridge.interactions.context import Context
from fhir_bridge.interactions.interaction import Interaction
from fhir_bridge.interactions.patch import Patches
from fhir_bridge.interactions.reply import Reply
from fhir_bridge.interactions.request import Request
from fhir_bridge.interactions.write import retrying, write_reply
from fhir_bridge.store import Transaction

__all__ = ["transaction"]


def transaction(
    request: Request, received: Resource, context: Context, perform: Interaction
) -> Reply:
    """The answers in the order of the entries.  Any error undoes everything and is raised.

    `perform` carries out the entries that change nothing: reads, searches, operations.
    """
    entries = [
        _read(position, raw, request, context)
        for position, raw in enumerate(bundle_entries(received, context))
    ]

    patches = Patches()

    def work(inside: Context, opened: Transaction) -> Reply:
        changes = [
            change for entry in entries if is_change(entry) for change in resolve(entry, inside)
        ]
        require_distinct(changes)
        link(changes, context.base_url)
        if context.settings.referential_integrity:
            require_unreferenced(changes, inside)
        _delete(changes, inside, opened)
        _write(changes, request.prefer.returns or "minimal", patches, inside, opened)
        if context.settings.referential_integrity:
            require_integrity(changes, inside, opened)
        replies = {change.entry.position: change.reply for change in changes}
        for entry in entries:
            if entry.position not in replies:
                context.require_time()
                with at_entry(entry):
                    replies[entry.position] = perform_entry(entry, inside, perform)
        answers = [answer(reply, context) for _, reply in sorted(replies.items()) if reply]
        return Reply(200, render_json(bundle.transaction_response(answers)))

    return context.transact(work, before=lambda: _prepare(entries, patches, context))


def _read(position: int, raw: Any, request: Request, context: Context) -> Entry:
    try:
        return read_entry(position, raw, request, context)
    except BridgeError as error:
        raise located(error, f"Bundle.entry[{position}]") from None


def _prepare(entries: Iterable[Entry], patches: Patches, context: Context) -> None:
    """Work out the patches: no other entry may change what a patch is about (`require_distinct`)."""
    for entry in entries:
        if entry.route.interaction in ("patch", "patch-conditional"):
            context.require_time()
            for change in resolve(entry, context):
                with at_entry(entry):
                    stored = context.read(change.resource_type, change.id, "u")
                    patches.prepare(stored, entry.request)


def _delete(changes: Iterable[Change], context: Context, opened: Transaction) -> None:
    for change in changes:
        if change.kind == "delete":
            with at_entry(change.entry):
                present = context.find_stored(change.resource_type, change.id, "d")
                written = (
                    opened.delete(change.resource_type, change.id, if_match=change.if_match)
                    if present
                    else None
                )
            version, at = (written.version, written.last_updated) if written else (0, "")
            change.reply = Reply(204, b"", version, at)


def _write(
    changes: list[Change], returns: str, patches: Patches, context: Context, opened: Transaction
) -> None:
    """Creations and updates, then patches.

    What refers to a search or to a version waits until its target is written; when a round
    finds nothing more, the first that still waits goes on or says why it cannot (FB-4018).
    """
    waiting = [change for change in changes if change.kind in ("create", "update")]
    while waiting:
        context.require_time()
        ready = [change for change in waiting if is_settled(change, context, strict=False)]
        if not ready:
            is_settled(waiting[0], context, strict=True)
            ready = [waiting[0]]
        _put(ready, returns, context, opened)
        done_now = set(map(id, ready))
        waiting = [change for change in waiting if id(change) not in done_now]
    for change in changes:
        if change.kind == "patch":
            with at_entry(change.entry):
                stored = context.read(change.resource_type, change.id, "u")
                change.resource = patches.of(stored)
                change.references = list(walk_references(change.resource))
                wanted, change.if_match = change.if_match, change.if_match or stored.version
                is_settled(change, context, strict=True)
            with retrying(unless=wanted is not None):
                _put([change], returns, context, opened)


def _put(changes: list[Change], returns: str, context: Context, opened: Transaction) -> None:
    """Store the resources: many at once, those with a wanted version one by one."""
    for change in changes:
        with at_entry(change.entry):
            change.resource = context.labelled(change.resource or {})
            context.check(change.resource)
            if change.kind != "create":
                context.require_changeable(change.resource_type, change.id)
    free = [change for change in changes if change.if_match is None]
    written = opened.put_many([change.resource or {} for change in free])
    for change, outcome in zip(free, written, strict=True):
        change.reply = write_reply(outcome, returns)
    for change in changes:
        if change.if_match is not None:
            with at_entry(change.entry):
                outcome = opened.put(change.resource or {}, if_match=change.if_match)
            change.reply = write_reply(outcome, returns)
    for change in changes:
        with at_entry(change.entry):
            letter = "c" if change.kind == "create" else "u"
            context.require_reach(letter, change.resource_type, change.id)

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
from fhir_bridge.fhir import Resource, bundle, parse_json, render_json
from fhir_bridge.interactions.change import (
    Change,
    at_entry,
    is_change,
    require_distinct,
    resolve,
)
from fhir_bridge.interactions.conditional import find_matches
from fhir_bridge.interactions.context import Context
from fhir_bridge.interactions.dispatch import perform_route
from fhir_bridge.interactions.entry import Entry, answer, bundle_entries, located, read_entry
from fhir_bridge.interactions.links import (
    conditional_references,
    local_references,
    rewrite_links,
)
from fhir_bridge.interactions.patch import apply_patch
from fhir_bridge.interactions.reply import Reply
from fhir_bridge.interactions.request import Request, split_url
from fhir_bridge.interactions.routes import ID
from fhir_bridge.interactions.write import write_reply
from fhir_bridge.search import parse_search, plan
from fhir_bridge.store import Transaction

__all__ = ["transaction"]


def transaction(request: Request, received: Resource, context: Context) -> Reply:
    """The answers in the order of the entries.  Any error undoes everything and is raised."""
    entries = [
        _read(position, raw, request, context)
        for position, raw in enumerate(bundle_entries(received, context))
    ]

    def work(inside: Context, opened: Transaction) -> Reply:
        changes = [
            change for entry in entries if is_change(entry) for change in resolve(entry, inside)
        ]
        require_distinct(changes)
        _link(changes, context.base_url)
        if context.settings.referential_integrity:
            _require_unreferenced(changes, inside)
        _delete(changes, opened)
        _write(changes, request.prefer.returns or "minimal", inside, opened)
        if context.settings.referential_integrity:
            _require_integrity(changes, context.base_url, opened)
        replies = {change.entry.position: change.reply for change in changes}
        for entry in entries:
            if entry.position not in replies:
                context.require_time()
                with at_entry(entry):
                    replies[entry.position] = perform_route(entry.request, entry.route, inside)
        answers = [answer(reply, context) for _, reply in sorted(replies.items()) if reply]
        return Reply(200, render_json(bundle.transaction_response(answers)))

    return context.transact(work)


def _read(position: int, raw: Any, request: Request, context: Context) -> Entry:
    try:
        return read_entry(position, raw, request, context)
    except BridgeError as error:
        raise located(error, f"Bundle.entry[{position}]") from None


def _link(changes: Iterable[Change], base_url: str) -> None:
    """Temporary addresses become the real ones everywhere in the new resources."""
    targets: dict[str, str] = {}
    for change in changes:
        address, target = change.entry.full_url, f"{change.resource_type}/{change.id}"
        if address and change.id and address not in (target, f"{base_url}/{target}"):
            targets[address] = target
    for change in changes:
        if change.resource is not None and targets:
            rewrite_links(change.resource, targets, change.entry.full_url)


def _require_unreferenced(changes: Iterable[Change], context: Context) -> None:
    """Nothing that stays as it is may refer to what is deleted (FB-4029)."""
    changed = {(change.resource_type, change.id) for change in changes}
    for change in changes:
        if change.kind != "delete" or not ID.fullmatch(change.id):
            continue
        pairs = [("_id", change.id), ("_revinclude", "*"), ("_count", "1")]
        search = parse_search(change.resource_type, pairs, context.registry)
        for held in context.find(plan(search, context.registry)).includes:
            if (held.resource_type, held.id) not in changed:
                target = f"{change.resource_type}/{change.id}"
                reference = f"{held.resource_type}/{held.id}"
                raise BridgeError("FB-4029", change.entry.where, target=target, reference=reference)


def _delete(changes: Iterable[Change], opened: Transaction) -> None:
    for change in changes:
        if change.kind == "delete":
            with at_entry(change.entry):
                written = opened.delete(change.resource_type, change.id, if_match=change.if_match)
            version, at = (written.version, written.last_updated) if written else (0, "")
            change.reply = Reply(204, b"", version, at)


def _write(changes: list[Change], returns: str, context: Context, opened: Transaction) -> None:
    """Creations and updates, then patches.

    What has a conditional reference waits until its target is found; when a round finds
    nothing more, the first that still waits says why (FB-4018).
    """
    waiting = [change for change in changes if change.kind in ("create", "update")]
    while waiting:
        context.require_time()
        ready = [change for change in waiting if _find_references(change, context, strict=False)]
        if not ready:
            _find_references(waiting[0], context, strict=True)
        _put(ready, returns, context, opened)
        done_now = set(map(id, ready))
        waiting = [change for change in waiting if id(change) not in done_now]
    for change in changes:
        if change.kind == "patch":
            with at_entry(change.entry):
                stored = context.read(change.resource_type, change.id)
                change.resource = apply_patch(parse_json(stored.body), change.entry.request)
                change.if_match = change.if_match or stored.version
                _find_references(change, context, strict=True)
            _put([change], returns, context, opened)


def _find_references(change: Change, context: Context, *, strict: bool) -> bool:
    """Replace the conditional references; False when one finds nothing yet."""
    for holder, resource_type, query in conditional_references(change.resource or {}):
        with at_entry(change.entry):
            found = find_matches(context, resource_type, split_url(f"?{query}")[1], 2)
            if len(found) > 1 or (strict and not found):
                count = "several" if found else "no"
                raise BridgeError("FB-4018", reference=holder["reference"][:200], count=count)
        if not found:
            return False
        holder["reference"] = f"{resource_type}/{found[0].id}"
    return True


def _put(changes: list[Change], returns: str, context: Context, opened: Transaction) -> None:
    """Store the resources: many at once, those with a wanted version one by one."""
    for change in changes:
        with at_entry(change.entry):
            context.check(change.resource or {})
    free = [change for change in changes if change.if_match is None]
    written = opened.put_many([change.resource or {} for change in free])
    for change, outcome in zip(free, written, strict=True):
        change.reply = write_reply(outcome, returns)
    for change in changes:
        if change.if_match is not None:
            with at_entry(change.entry):
                outcome = opened.put(change.resource or {}, if_match=change.if_match)
            change.reply = write_reply(outcome, returns)


def _require_integrity(changes: Iterable[Change], base_url: str, opened: Transaction) -> None:
    """Every reference to this server in what was written must lead somewhere (FB-4019)."""
    wanted: dict[tuple[str, str], str] = {}
    written = set()
    for change in changes:
        if change.resource is not None:
            written.add((change.resource_type, change.id))
            for target in local_references(change.resource, base_url):
                wanted.setdefault(target, change.entry.where)
    asked = wanted.keys() - written
    missing = asked - opened.exists(asked) if asked else set()
    for target, where in wanted.items():
        if target in missing:
            raise BridgeError("FB-4019", where, reference="/".join(target))

"""Referential integrity within a transaction: what is written leads somewhere.

https://hl7.org/fhir/R4/http.html#trules; a setting, see docs/clarifications/rest.md
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from fhir_bridge.access import Access
from fhir_bridge.errors import BridgeError
from fhir_bridge.interactions.bundle.change import Change
from fhir_bridge.interactions.bundle.links import local_references, placeholders
from fhir_bridge.interactions.context import Context
from fhir_bridge.interactions.routes import ID
from fhir_bridge.search import parse_search, plan
from fhir_bridge.store import Transaction

__all__ = ["require_integrity", "require_unreferenced"]


def require_unreferenced(changes: Iterable[Change], context: Context) -> None:
    """Nothing that stays as it is may refer to what is deleted (FB-4029)."""
    changed = {(change.resource_type, change.id) for change in changes}
    for change in changes:
        if change.kind != "delete" or not ID.fullmatch(change.id):
            continue
        pairs = [("_id", change.id), ("_revinclude", "*"), ("_count", "1")]
        search = parse_search(change.resource_type, pairs, context.registry)
        everybody = replace(context, access=Access.everything())
        for held in everybody.find(plan(search, context.registry)).includes:
            if (held.resource_type, held.id) not in changed:
                seen = context.find_stored(held.resource_type, held.id)
                reference = f"{held.resource_type}/{held.id}" if seen else "what you may not see"
                where = change.entry.where
                raise BridgeError("FB-4029", where, target=change.target, reference=reference)


def require_integrity(changes: Iterable[Change], context: Context, opened: Transaction) -> None:
    """Every reference to this server in what was written must lead somewhere (FB-4019).

    So must every temporary address: only an entry can have one.
    """
    wanted: dict[tuple[str, str], str] = {}
    written = set()
    for change in changes:
        if change.resource is None:
            continue
        for reference in placeholders(change.references):
            raise BridgeError("FB-4019", change.entry.where, reference=reference[:200])
        written.add((change.resource_type, change.id))
        for target in local_references(change.references, context.base_url):
            wanted.setdefault(target, change.entry.where)
    asked = wanted.keys() - written
    missing = asked - opened.exists(asked) if asked else set()
    if not context.access.is_everything:  # what may not be seen is as good as not there
        missing |= {each for each in asked - missing if context.find_stored(*each) is None}
    for target, where in wanted.items():
        if target in missing:
            raise BridgeError("FB-4019", where, reference="/".join(target))

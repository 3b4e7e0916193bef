"""The changes of a transaction: which resource each entry is about, before anything is written.

https://hl7.org/fhir/R4/http.html#trules
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from fhir_bridge import clock
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import Resource
from fhir_bridge.interactions.allowed import require_allowed
from fhir_bridge.interactions.bundle.entry import Entry, located
from fhir_bridge.interactions.conditional import find_all, find_match, none_exist_pairs
from fhir_bridge.interactions.conditions import wanted_version
from fhir_bridge.interactions.context import Context
from fhir_bridge.interactions.reply import Reply
from fhir_bridge.interactions.routes import ID
from fhir_bridge.interactions.write import required_resource

__all__ = ["Change", "at_entry", "is_change", "require_distinct", "resolve"]

_CONDITIONAL_CHANGES = {
    "update-conditional": "update",
    "patch-conditional": "patch",
}
_CHANGES = frozenset(
    ("create", "update", "patch", "delete", "delete-conditional", *_CONDITIONAL_CHANGES)
)


@dataclass(slots=True)
class Change:
    """An entry that changes a resource, with the identity it has been given.

    `kind` is create, update, patch, delete or "none" (a conditional create that found one,
    a delete that found nothing); `reply` is set when the answer is known.  `resource` shares its
    parts with the request until it is linked; `references` are then the objects in it that hold
    one, and `pinned` those that name the version which another change will write.
    """

    entry: Entry
    kind: str
    resource_type: str
    id: str
    resource: Resource | None = None
    if_match: int | None = None
    reply: Reply | None = None
    references: list[dict[str, Any]] = field(default_factory=list)
    pinned: list[tuple[dict[str, Any], Change]] = field(default_factory=list)

    @property
    def target(self) -> str:
        """``Type/id``."""
        return f"{self.resource_type}/{self.id}"


@contextmanager
def at_entry(entry: Entry) -> Iterator[None]:
    """Within the block an error names the entry."""
    try:
        yield
    except BridgeError as error:
        raise located(error, entry.where) from None


def is_change(entry: Entry) -> bool:
    """Whether the entry writes, by an interaction and not by an operation."""
    return entry.route.interaction in _CHANGES


def resolve(entry: Entry, context: Context) -> list[Change]:
    """The change with its identity; for a delete by condition one for each match, or "none"."""
    if entry.route.interaction != "delete-conditional":
        return [_resolve(entry, context)]
    resource_type = entry.route.resource_type
    with at_entry(entry):
        _require_allowed(entry, context)
        found = find_all(context, resource_type, entry.request.query)
    if not found:
        return [Change(entry, "none", resource_type, "", reply=Reply(204))]
    wanted = wanted_version(entry.request.headers)
    return [Change(entry, "delete", resource_type, each.id, if_match=wanted) for each in found]


def _resolve(entry: Entry, context: Context) -> Change:
    """The change with its identity: found by the condition, given by the URL, or fresh."""
    found = entry.route
    with at_entry(entry):
        _require_allowed(entry, context)
        kind = _CONDITIONAL_CHANGES.get(found.interaction, found.interaction)
        change = Change(entry, kind, found.resource_type, found.id)
        change.if_match = wanted_version(entry.request.headers)
        if kind in ("create", "update"):
            change.resource = {**required_resource(entry.request, found)}
        if found.interaction == "create":
            _resolve_create(change, context)
        elif found.interaction in _CONDITIONAL_CHANGES:
            _resolve_condition(change, context)
        elif kind == "update" and (change.resource or {}).get("id") != found.id:
            raise BridgeError("FB-4009", id=found.id[:64])
        if kind in ("update", "patch"):
            context.require_conditions(entry.request.headers, change.resource_type, change.id)
        if kind == "update":
            context.require_version(entry.request.headers, change.resource_type, change.id)
        if kind in ("create", "update") and not ID.fullmatch(change.id):
            raise BridgeError("FB-4026", id=change.id[:80])
        if change.resource is not None:
            change.resource["id"] = change.id
    return change


def _require_allowed(entry: Entry, context: Context) -> None:
    types = context.definitions.resource_types
    require_allowed(entry.request, entry.route, context.access, types)


def _resolve_create(change: Change, context: Context) -> None:
    condition = change.entry.request.headers.get("if-none-exist")
    change.id = clock.fresh_id()
    if condition is not None:
        pairs = none_exist_pairs(condition, change.resource_type)
        match = find_match(context, change.resource_type, pairs, condition)
        if match is not None:
            change.kind, change.id, change.resource = "none", match.id, None
            location = f"{match.resource_type}/{match.id}"
            change.reply = Reply(200, b"", match.version, match.last_updated, location)


def _resolve_condition(change: Change, context: Context) -> None:
    match = find_match(context, change.resource_type, change.entry.request.query, "of the URL")
    given = (change.resource or {}).get("id")
    if match is not None:
        if given not in (None, match.id):
            raise BridgeError("FB-4009", id=match.id)
        change.id = match.id
    elif change.kind == "patch":
        raise BridgeError("FB-4001", resource_type=change.resource_type, id="of the condition")
    else:
        change.id = str(given or clock.fresh_id())


def require_distinct(changes: Iterable[Change]) -> None:
    """No resource may be changed twice (FB-4017)."""
    seen: set[tuple[str, str]] = set()
    for change in changes:
        target = (change.resource_type, change.id)
        if change.kind != "none" and target in seen:
            raise BridgeError("FB-4017", change.entry.where, target="/".join(target))
        if change.kind != "none":
            seen.add(target)

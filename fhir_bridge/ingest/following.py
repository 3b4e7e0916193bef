"""What refers to a visit or an account follows it when it moves or becomes part of another."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from fhir_bridge.fhir import Resource, parse_json
from fhir_bridge.identity import speak_of
from fhir_bridge.store import Transaction, resource_key
from fhir_bridge.update import stated_at

__all__ = ["Follow", "follow"]

_PAGE = 500


@dataclass(frozen=True, slots=True)
class Follow:
    """What refers to `reference` refers to `new` in place of `old` once the batch is written.

    For a visit that moved, its results speak of the other person; for one that became part
    of another, of that visit (then `old` is the reference itself).  `at` is the stamp of the
    event: what was said before it does not bring the old reference back.
    """

    reference: str
    old: str
    new: str
    at: int


def follow(record: Transaction, change: Follow) -> None:
    """Carries out `change` on what is stored; call it when the batch is written."""
    kind, _, id_ = change.reference.partition("/")
    limit = _PAGE
    while len(stored := record.referring(kind, id_, limit)) == limit:
        limit *= 4
    for start in range(0, len(stored), _PAGE):
        page = [parse_json(each.body) for each in stored[start : start + _PAGE]]
        _keep_time(record, speak_of(record, page, change.old, change.new), change)


def _keep_time(record: Transaction, changed: Iterable[Resource], change: Follow) -> None:
    """What now leads to another thing was stated when the event happened."""
    slots = {
        resource_key(each["resourceType"], each["id"]): [
            name
            for name, value in each.items()
            if isinstance(value, dict) and value.get("reference") == change.new
        ]
        for each in changed
    }
    record.put_statements(
        replace(row, times=stated_at(row.times, slots[key], change.at))
        for key, rows in record.statements(slots).items()
        for row in rows
        if slots[key]
    )

"""What a draft changes is written in one go."""

from __future__ import annotations

from fhir_bridge.fhir import Resource
from fhir_bridge.identity import repoint
from fhir_bridge.store import Transaction

from .changes import Changes
from .following import follow

__all__ = ["apply"]


def apply(changes: Changes, record: Transaction) -> None:
    """Writes everything within the transaction that it was read in."""
    _apply_persons(changes, record)
    if changes.rows:
        record.put_statements(row for rows in changes.rows.values() for row in rows.values())
    if changes.rows_heard:
        record.touch_statements(changes.rows_heard)
    if changes.came:
        record.drop_awaited(changes.came)
    if changes.awaited:
        record.put_awaited(
            (target, each) for target, some in changes.awaited.items() for each in some
        )
    if changes.containers:
        record.put_containers(changes.containers.values())
    for bulk in _bulks(changes.writes):
        record.put_many(bulk)
    for move in changes.moves:
        repoint(record, move)
    for change in changes.follows:
        follow(record, change)


def _apply_persons(changes: Changes, record: Transaction) -> None:
    """Writes what was decided on persons."""
    if changes.persons:
        kept = [row for row in changes.persons.values() if row is not None]
        record.put_identity_statements(kept)
        for (feed, key), row in changes.persons.items():
            if row is None:
                record.drop_identity_statement(feed, key)
    if changes.heard:
        record.touch_identity_statements(changes.heard)
    if changes.keys:
        record.set_identity_keys(changes.keys)
    if changes.links:
        record.log_links(changes.links)
    for review in changes.reviews:
        record.hold(review)


def _bulks(resources: list[Resource]) -> list[list[Resource]]:
    """`resources` in bulks that name none twice: the n-th version in the n-th bulk."""
    bulks: list[list[Resource]] = []
    written: dict[tuple[str, str], int] = {}
    for resource in resources:
        key = resource["resourceType"], resource["id"]
        number = written.get(key, 0)
        written[key] = number + 1
        if number == len(bulks):
            bulks.append([])
        bulks[number].append(resource)
    return bulks

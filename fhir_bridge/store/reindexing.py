"""Makes the index anew from the bodies: online, in small transactions, resumable.

Used after a search parameter was added or changed.  Work goes by the number of the change;
the place reached is kept in the database, so that a stopped run goes on where it was.
Searches and writes go on meanwhile: a resource is found by its old rows until its own new
ones replace them in one transaction.
"""
# ruff: noqa: S608 (SQL is put together from fixed text; every value is a parameter)

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fhir_bridge.fhir import parse_json
from fhir_bridge.search.hashing import resource_key
from fhir_bridge.store.schema import INDEX_TABLES
from fhir_bridge.store.session import Session
from fhir_bridge.store.writing import write_index

if TYPE_CHECKING:
    from fhir_bridge.store.store import Store

__all__ = ["reindex"]

_PLACE = "reindex place"
_BATCH = 10_000


def reindex(
    store: Store, *, restart: bool = False, progress: Callable[[int, int], None] | None = None
) -> int:
    """Reindexes every current resource; how many were done in this run.

    `progress` is told the place and the end (numbers of changes) after each batch.
    """
    end = store.latest_change()
    if restart:
        _keep_place(store, 0)
    done = 0
    place = _place(store)
    while place < end:
        # Rows are found by number: one pass over the index tables clears a whole batch.
        upto = min(place + _BATCH, end)
        with store.writing() as session:
            done += _batch(store, session, place, upto)
            _write_place(session, upto)
        place = upto
        if progress:
            progress(place, end)
    _keep_place(store, 0)
    return done


def _batch(store: Store, session: Session, after: int, upto: int) -> int:
    rows = session.all(
        "SELECT r.row_id, r.body FROM resource r WHERE r.row_id > ? AND r.row_id <= ?"
        " AND NOT EXISTS (SELECT 1 FROM superseded s WHERE s.row_id = r.row_id)",
        (after, upto),
    )
    for table in INDEX_TABLES:
        session.run(f"DELETE FROM {table} WHERE row_id > ? AND row_id <= ?", (after, upto))
    made: list[tuple[int, Any]] = []
    for row_id, body in rows:
        resource = parse_json(bytes(body))
        index = store.indexer.rows(resource)
        if resource["resourceType"] == "Patient":
            index.references[resource_key("Patient", resource["id"])] = True
        made.append((row_id, index))
    current = [row_id for row_id, _ in made]
    if current:
        where, parameters = session.among("row_id", current)
        session.run(f"DELETE FROM reference WHERE {where}", parameters)
    terms = write_index(session, made)
    if terms:
        session.add_terms(sorted(terms))
    session.many(
        "UPDATE resource SET sort_date = ? WHERE row_id = ?",
        [(index.date, row_id) for row_id, index in made],
    )
    # Versions replaced but not collected yet lost their rows above: nothing is left to collect.
    session.run(
        "UPDATE superseded SET collected = 1 WHERE row_id > ? AND row_id <= ? AND collected = 0",
        (after, upto),
    )
    return len(made)


def _place(store: Store) -> int:
    with store.reading() as session:
        row = session.one("SELECT value FROM setting WHERE name = ?", (_PLACE,))
    return int(bytes(row[0])) if row else 0


def _keep_place(store: Store, place: int) -> None:
    with store.writing() as session:
        _write_place(session, place)


def _write_place(session: Session, place: int) -> None:
    session.run(
        "INSERT INTO setting (name, value) VALUES (?, ?)"
        " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (_PLACE, str(place).encode()),
    )

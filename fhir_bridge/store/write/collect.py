"""Clearing up after replaced versions, a few at a time.

The index rows of a replaced version stay until no page link can need them; then they are
deleted, found again from the body.
"""

from __future__ import annotations

from fhir_bridge.database import Session, packed, unpacked
from fhir_bridge.fhir import parse_json
from fhir_bridge.search import Indexer, IndexRows

__all__ = ["collect", "delete_index_rows"]


def collect(session: Session, indexer: Indexer, limit: int, before: int) -> int:
    """Clears at most `limit` versions replaced before a moment in milliseconds since 1970."""
    rows = session.all(
        "SELECT s.row_id, r.sort_date, r.compressed, r.body FROM superseded s"
        " JOIN resource r ON r.row_id = s.row_id JOIN resource n ON n.row_id = s.replaced_by"
        " WHERE s.collected = 0 AND n.last_updated < ? ORDER BY s.replaced_by LIMIT ?",
        (before, limit),
    )
    for row_id, sort_date, how, stored in rows:
        body = unpacked(how, stored)
        delete_index_rows(session, row_id, sort_date, indexer.rows(parse_json(body)))
        if how == 0:  # written by a release that packed history only
            session.run(
                "UPDATE resource SET compressed = ?, body = ? WHERE row_id = ?",
                (*packed(body), row_id),
            )
    session.many(
        "UPDATE superseded SET collected = 1 WHERE row_id = ?", [(row[0],) for row in rows]
    )
    return len(rows)


def delete_index_rows(session: Session, row_id: int, sort_date: int, rows: IndexRows) -> None:
    """Deletes the index rows of one version by their full keys."""
    session.many(
        "DELETE FROM posting WHERE hash = ? AND date = ? AND row_id = ?",
        [(value, sort_date, row_id) for value in sorted(rows.postings)],
    )
    session.many(
        "DELETE FROM string_value WHERE key = ? AND value = ? AND row_id = ?",
        [(key, value, row_id) for key, value, _ in sorted(rows.texts)],
    )
    session.many(
        "DELETE FROM date_value WHERE key = ? AND low = ? AND high = ? AND row_id = ?",
        [(*each, row_id) for each in sorted(rows.dates)],
    )
    if rows.spans:
        session.run("DELETE FROM span WHERE row_id = ?", (row_id,))
    session.many(
        "DELETE FROM quantity_value WHERE key = ? AND low = ? AND high = ? AND row_id = ?"
        " AND system = ? AND code = ? AND unit = ?",
        [(*each[:3], row_id, *each[3:]) for each in sorted(rows.quantities)],
    )

"""Proves that the record holds together: index and bodies agree, histories are whole.

Each current body is read, its index rows are made anew and compared with what is stored,
row by row; rows that belong to no current version are counted.  What is found is answered
as issues FB-5007 and FB-5010, never repaired here (`reindexing` does that).
"""
# ruff: noqa: S608 (SQL is put together from fixed text; every value is a parameter)

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fhir_bridge.errors import Issue
from fhir_bridge.fhir import parse_json
from fhir_bridge.search.hashing import resource_key
from fhir_bridge.store.records import COLUMNS, stored
from fhir_bridge.store.session import Session

if TYPE_CHECKING:
    from fhir_bridge.store.store import Store

__all__ = ["Checked", "check"]

_BATCH = 10_000
_MOST_ISSUES = 1_000


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check saw: current resources, versions, index rows, and what is wrong."""

    resources: int
    versions: int
    index_rows: int
    issues: tuple[Issue, ...]


def check(store: Store, *, progress: Callable[[int], None] | None = None) -> Checked:
    """Compares every index row with its body, in one snapshot of the record."""
    issues: list[Issue] = []
    expected_rows = resources = 0
    with store.reading(snapshot=True) as session:
        for batch in _batches(session):
            found = _stored_index(session, [row[0] for row in batch])
            for row in batch:
                resources += 1
                version = stored(row[:8], store.types)
                expected = _expected(store, version.body, row[8])
                actual = found.get(row[0], set())
                expected_rows += len(expected)
                reason = _difference(version, expected, actual, row[9])
                if reason and len(issues) < _MOST_ISSUES:
                    issues.append(_issue("FB-5007", version.resource_type, version.id, reason))
            if progress:
                progress(resources)
        issues += _broken_histories(session, store.types)
        index_rows, strays = _stray_rows(session)
        if strays:
            issues.append(_issue("FB-5007", "*", "*", f"{strays} index rows belong to no version"))
        versions = session.one("SELECT count(*) FROM resource")
    return Checked(resources, versions[0] if versions else 0, index_rows, tuple(issues))


def _batches(session: Session) -> Iterator[list[tuple[Any, ...]]]:
    """Current versions, by number of the change."""
    after = 0
    while True:
        batch = session.all(
            f"SELECT {COLUMNS}, r.sort_date, r.key FROM resource r WHERE r.row_id > ?"
            " AND NOT EXISTS (SELECT 1 FROM superseded s WHERE s.row_id = r.row_id)"
            " ORDER BY r.row_id LIMIT ?",
            (after, _BATCH),
        )
        if not batch:
            return
        after = batch[-1][0]
        yield batch


def _stored_index(session: Session, row_ids: list[int]) -> dict[int, set[tuple[Any, ...]]]:
    """The stored index rows of some versions, by version.

    The index is made for values, not for rows: it is read as a whole once and kept by row,
    in chunks that fit memory.
    """
    found: dict[int, set[tuple[Any, ...]]] = {}
    low, high = row_ids[0], row_ids[-1]
    for name, sql in _READ:
        for row_id, *values in session.all(sql, (low, high)):
            found.setdefault(row_id, set()).add((name, *values))
    return found


_READ = (
    ("posting", "SELECT row_id, hash, date FROM posting WHERE row_id BETWEEN ? AND ?"),
    ("string", "SELECT row_id, key, value FROM string_value WHERE row_id BETWEEN ? AND ?"),
    ("date", "SELECT row_id, key, low, high FROM date_value WHERE row_id BETWEEN ? AND ?"),
    (
        "quantity",
        (
            "SELECT row_id, key, low, high, system, code, unit FROM quantity_value"
            " WHERE row_id BETWEEN ? AND ?"
        ),
    ),
    ("reference", "SELECT row_id, target, member FROM reference WHERE row_id BETWEEN ? AND ?"),
)


def _expected(store: Store, body: bytes, sort_date: int) -> set[tuple[Any, ...]]:
    resource = parse_json(body)
    rows = store.indexer.rows(resource)
    if resource["resourceType"] == "Patient":
        rows.references[resource_key("Patient", resource["id"])] = True
    expected: set[tuple[Any, ...]] = {("posting", value, sort_date) for value in rows.postings}
    if rows.date != sort_date:
        expected.add(("sort date", rows.date))
    expected |= {("string", key, value) for key, value, _ in rows.texts}
    expected |= {("date", *each) for each in rows.dates}
    expected |= {("quantity", *each) for each in rows.quantities}
    expected |= {("reference", key, int(member)) for key, member in rows.references.items()}
    return expected


def _difference(
    version: Any, expected: set[tuple[Any, ...]], actual: set[tuple[Any, ...]], key: int
) -> str:
    """What is wrong with one resource, "" when nothing."""
    if resource_key(version.resource_type, version.id) != key:
        return "its key is not the key of its id"
    resource = parse_json(version.body)
    meta = resource.get("meta") or {}
    if (resource.get("resourceType"), resource.get("id")) != (version.resource_type, version.id):
        return "its body is of another resource"
    if (meta.get("versionId"), meta.get("lastUpdated")) != (
        str(version.version),
        version.last_updated,
    ):
        return "its body says another version or time"
    missing, extra = len(expected - actual), len(actual - expected)
    return f"{missing} index rows are missing, {extra} are too many" if missing or extra else ""


def _broken_histories(session: Session, types: dict[int, str]) -> list[Issue]:
    """Versions must run from 1 without a gap, and all but the newest must be superseded."""
    rows = session.all(
        "SELECT type, id, count(*), max(version), min(version),"
        " sum(CASE WHEN deleted = 0 AND NOT EXISTS"
        " (SELECT 1 FROM superseded s WHERE s.row_id = resource.row_id) THEN 1 ELSE 0 END)"
        " FROM resource GROUP BY type, id, key HAVING count(*) <> max(version) OR min(version) <> 1"
        " OR sum(CASE WHEN deleted = 0 AND NOT EXISTS"
        " (SELECT 1 FROM superseded s WHERE s.row_id = resource.row_id) THEN 1 ELSE 0 END) > 1"
        " LIMIT ?",
        (_MOST_ISSUES,),
    )
    return [
        _issue(
            "FB-5010",
            types[row[0]],
            row[1],
            f"{row[2]} versions are kept, numbered {row[4]} to {row[3]}, {row[5]} current",
        )
        for row in rows
    ]


def _stray_rows(session: Session) -> tuple[int, int]:
    """All index rows, and those whose version is not there or was collected."""
    total = strays = 0
    for table in ("posting", "string_value", "date_value", "quantity_value"):
        row = session.one(
            "SELECT count(*), coalesce(sum(CASE WHEN r.row_id IS NULL OR s.collected = 1"
            f" THEN 1 ELSE 0 END), 0) FROM {table} t LEFT JOIN resource r ON r.row_id = t.row_id"
            " LEFT JOIN superseded s ON s.row_id = t.row_id"
        )
        total += row[0] if row else 0
        strays += int(row[1]) if row else 0
    return total, strays


def _issue(code: str, resource_type: str, id_: str, reason: str) -> Issue:
    return Issue(
        code,
        "error",
        f"{resource_type}/{id_}",
        {"resource_type": resource_type, "id": id_, "reason": reason},
    )

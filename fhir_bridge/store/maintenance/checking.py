"""Proves that the record holds together: index, histories, references and persons.

Each current body is read, its index rows are made anew and compared with what is stored, and
its references are followed (`dangling`); rows that belong to no current version are counted.
Then the index is read for numbers that two hold (`shared_identities`).  Each range of changes
is seen in one snapshot of its own, so that a long check holds nothing up; a check that was
stopped goes on within a day.  What is found is answered as issues FB-5007, FB-5010, FB-5012
and FB-5020 to FB-5027, never repaired here (`reindexing` mends the index).
"""
# ruff: noqa: S608 (SQL is put together from fixed text; every value is a parameter)

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field

import msgspec

from fhir_bridge import clock
from fhir_bridge.database import Session, milliseconds
from fhir_bridge.errors import Issue
from fhir_bridge.fhir import Resource, parse_json
from fhir_bridge.search import IndexRows
from fhir_bridge.search.hashing import resource_key
from fhir_bridge.store.maintenance.dangling import ReferenceCheck
from fhir_bridge.store.maintenance.findings import Findings
from fhir_bridge.store.maintenance.index_rows import (
    REFERENCE,
    SHAPES,
    Hashes,
    ranges,
    rows_of,
    stored_hashes,
)
from fhir_bridge.store.maintenance.revision import index_issues
from fhir_bridge.store.maintenance.shared_identities import (
    ONE_PER_IDENTITY,
    AllNumbers,
    check_persons,
    check_resources,
)
from fhir_bridge.store.records import COLUMNS, Stored, stored
from fhir_bridge.store.store import Store
from fhir_bridge.store.write.writer import TermMemo

__all__ = ["CHECK_PLACE", "Checked", "check"]

CHECK_PLACE = "check place"
"""The name under which the database keeps where a check was stopped."""

_PROGRESS_EVERY = 2_000
_MAX_HISTORIES = 1_000
_MAX_PAUSE_MILLISECONDS = 24 * 3600 * 1000
_OF_VERSION = (*SHAPES, REFERENCE)
_WHAT = "index references persons"
"""What a check looks at: one that was stopped by a release that looked at less begins anew."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check saw: current resources, versions, index rows, and what is wrong.

    `issues` are the first of each kind, `counts` how many there are by code.
    """

    resources: int
    versions: int
    index_rows: int
    issues: tuple[Issue, ...]
    counts: Mapping[str, int]


@dataclass(slots=True)
class _State:
    """How far a check has come.

    `place` is the change before the next range, `compared` the types whose numbers are done.
    """

    what: str = ""
    at: int = 0
    place: int = 0
    compared: list[str] = field(default_factory=list)
    resources: int = 0
    index_rows: int = 0
    strays: int = 0
    findings: Findings = field(default_factory=Findings)

    def note(self, code: str, resource_type: str, id_: str, reason: str) -> None:
        self.findings.note(code, resource_type, id_, reason=reason)


def check(
    store: Store,
    *,
    restart: bool = False,
    progress: Callable[[int, int], None] | None = None,
    numbers: AllNumbers | None = None,
) -> Checked:
    """Compares every index row with its body and every history with its versions.

    Follows every reference, and compares the numbers of persons and of what is about them;
    `numbers` says which numbers are a person's own.  `restart` forgets
    where a stopped check was; `progress` is told the place and the end (numbers of changes).
    """
    end = store.latest_change()
    state = _State() if restart else _load_state(store)
    for low, high in ranges(state.place, end):
        with store.reading(snapshot=True) as session:
            for place in _check_range(store, session, (low, high), state):
                if progress:
                    progress(place, end)
        state.place = min(high, end)
        _save_state(store, state)
    _compare_identities(store, numbers or AllNumbers(), state)
    store.settings.forget(CHECK_PLACE)
    with store.reading(snapshot=True) as session:
        _broken_histories(session, store.types, state)
        versions = session.one("SELECT count(*) FROM resource")
    if state.strays:
        state.note("FB-5007", "*", "*", f"{state.strays} index rows belong to no version")
    issues = [*state.findings.issues(), *index_issues(store)]
    return Checked(
        state.resources, versions[0] if versions else 0, state.index_rows, tuple(issues),
        state.findings.counts,
    )  # fmt: skip


def _check_range(
    store: Store, session: Session, borders: tuple[int, int], state: _State
) -> Iterator[int]:
    """Compares the current versions of one range, counts rows of none; places on the way."""
    index = stored_hashes(session, SHAPES, *borders)
    references = stored_hashes(session, [REFERENCE], *borders)
    state.index_rows += sum(map(len, index.values()))
    seen = TermMemo()
    own_bases, patient = store.registry.own_bases, store.numbers["Patient"]
    followed = ReferenceCheck(session, state.findings, own_bases, patient)
    current = session.stream(
        f"SELECT {COLUMNS}, r.sort_date, r.key FROM resource r WHERE r.row_id BETWEEN ? AND ?"
        " AND NOT EXISTS (SELECT 1 FROM superseded s WHERE s.row_id = r.row_id)"
        " ORDER BY r.row_id",
        borders,
    )
    for row in current:
        version = stored(row[:8], store.types)
        actual = {*index.pop(row[0], ()), *references.pop(row[0], ())}
        resource = parse_json(version.body)
        reason = _wrong_row(resource, version, row[9])
        if not reason:
            rows = rows_of(store, resource)
            reason = _difference(rows, row[8], actual) or _without_terms(session, rows, seen)
        if reason:
            state.note("FB-5007", version.resource_type, version.id, reason)
        followed.add(resource)
        state.resources += 1
        if state.resources % _PROGRESS_EVERY == 0:
            yield row[0]
    followed.settle()
    state.strays += _count_orphans(session, borders, index, references)


def _compare_identities(store: Store, numbers: AllNumbers, state: _State) -> None:
    """Looks for numbers that two hold, type by type."""
    own_bases = store.registry.own_bases
    for resource_type in ("Patient", *ONE_PER_IDENTITY):
        if resource_type in state.compared:
            continue
        with store.reading(snapshot=True) as session:
            for symbol in store.registry.indexes(resource_type, "identifier"):
                number = store.numbers[symbol]
                if resource_type == "Patient":
                    check_persons(session, number, state.findings, numbers, own_bases)
                else:
                    check_resources(session, resource_type, number, state.findings, own_bases)
        state.compared.append(resource_type)
        _save_state(store, state)


def _difference(rows: IndexRows, sort_date: int, actual: set[int]) -> str:
    """What is wrong with the index rows of one resource, "" when nothing."""
    expected = {shape.hash(values) for shape in _OF_VERSION for values in shape.rows(rows)}
    if rows.date != sort_date:
        return f"its sort date is {sort_date} and not {rows.date}"
    missing, extra = len(expected - actual), len(actual - expected)
    return f"{missing} index rows are missing, {extra} are too many" if missing or extra else ""


def _without_terms(session: Session, rows: IndexRows, seen: TermMemo) -> str:
    """Whether the dictionary lacks a text of a resource; each text is looked up once."""
    found, missing = set(), 0
    for term in seen.unknown(rows.terms):
        sql = "SELECT 1 FROM term WHERE number = ? AND value = ? AND hash = ?"
        if session.one(sql, term):
            found.add(term)
        else:
            missing += 1
    seen.learn(found)
    return f"{missing} of its texts are not in the dictionary" if missing else ""


def _wrong_row(resource: Resource, version: Stored, key: int) -> str:
    """Whether the row of a version says what its body says."""
    meta = resource.get("meta") or {}
    if resource_key(version.resource_type, version.id) != key:
        return "its key is not the key of its id"
    if (resource.get("resourceType"), resource.get("id")) != (version.resource_type, version.id):
        return "its body is of another resource"
    if (meta.get("versionId"), meta.get("lastUpdated")) != (
        str(version.version),
        version.last_updated,
    ):
        return "its body says another version or time"
    return ""


def _count_orphans(
    session: Session, borders: tuple[int, int], index: Hashes, references: Hashes
) -> int:
    """Index rows left over in a range whose version is not there or was collected."""
    for (waiting,) in session.stream(
        "SELECT row_id FROM superseded WHERE collected = 0 AND row_id BETWEEN ? AND ?", borders
    ):
        index.pop(waiting, None)
    if references:  # these stay with every version that is there
        for (row_id,) in session.stream(
            "SELECT row_id FROM resource WHERE row_id BETWEEN ? AND ?", borders
        ):
            references.pop(row_id, None)
    return sum(map(len, index.values())) + sum(map(len, references.values()))


def _broken_histories(session: Session, types: dict[int, str], state: _State) -> None:
    """Versions must run from 1 without a gap, and all but the newest must be superseded."""
    current = (
        "sum(CASE WHEN deleted = 0 AND NOT EXISTS"
        " (SELECT 1 FROM superseded s WHERE s.row_id = resource.row_id) THEN 1 ELSE 0 END)"
    )
    rows = session.all(
        f"SELECT min(type), min(id), count(*), max(version), min(version), {current}"
        " FROM resource GROUP BY key HAVING count(*) <> max(version) OR min(version) <> 1"
        f" OR {current} > 1 LIMIT ?",
        (_MAX_HISTORIES,),
    )
    for type_number, id_, count, last, first, alive in rows:
        reason = f"{count} versions are kept, numbered {first} to {last}, {alive} current"
        state.note("FB-5010", types[type_number], id_, reason)


def _load_state(store: Store) -> _State:
    """Where a check of the last day was stopped."""
    written = store.settings.read(CHECK_PLACE)
    state = msgspec.json.decode(written, type=_State) if written else _State()
    fresh = state.at > milliseconds(clock.now()) - _MAX_PAUSE_MILLISECONDS
    return state if fresh and state.what == _WHAT else _State()


def _save_state(store: Store, state: _State) -> None:
    state.what, state.at = _WHAT, milliseconds(clock.now())
    store.settings.write(CHECK_PLACE, msgspec.json.encode(asdict(state)))

"""Makes the index anew from the bodies: online, in small transactions, resumable.

Used after a search parameter was added or changed.  What is stored of a range of changes is
read once (`index_rows`); each body is indexed outside of any transaction, and only the
difference is written: missing rows at once, rows too many at the end of the range.
Searches and writes go on meanwhile; a resource whose index was right already is not
written.  The place reached is kept in the database, so that a stopped run goes on there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from fhir_bridge.database import Session, unpacked
from fhir_bridge.fhir import parse_json
from fhir_bridge.search import IndexRows
from fhir_bridge.store.maintenance.index_rows import (
    REFERENCE,
    SHAPES,
    ranges,
    rows_of,
    stored_hashes,
)
from fhir_bridge.store.maintenance.revision import keep_revision, revision
from fhir_bridge.store.store import Store
from fhir_bridge.store.write.writer import TermMemo

__all__ = ["reindex"]

_PLACE = "reindex place"
_BATCH = 500
_MAX_EXTRA = 1_000_000
_DELETE_BATCH = 5_000

Values = tuple[Any, ...]


@dataclass(slots=True)
class _Difference:
    """What must be written of one version; its rows too many are noted elsewhere."""

    row_id: int
    rows: IndexRows
    missing: list[list[Values]]
    """(row number, values…) by the place of their shape in `SHAPES`."""
    sort_date: int

    @property
    def is_empty(self) -> bool:
        return not any(self.missing) and self.rows.date == self.sort_date


@dataclass(slots=True)
class _Run:
    """One run: which types (None: all), and what it found so far."""

    store: Store
    types: tuple[str, ...] | None
    extra: dict[int, set[int]] = field(default_factory=dict)
    """Hashes of index rows too many, by version."""
    extra_count: int = 0
    seen: TermMemo = field(default_factory=TermMemo)


def reindex(
    store: Store,
    types: Iterable[str] | None = None,
    *,
    restart: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Reindexes the current resources of `types` (None: of all); how many in this run.

    `progress` is told the place and the end (numbers of changes).  At the end the index
    counts as made by this process's rules (`revision`).
    """
    run = _Run(store, None if types is None else tuple(sorted(types)))
    end = store.latest_change()
    place = 0 if restart else _load_place(run)
    done = 0
    for low, high in ranges(place, end):
        for batch in _reindex_range(run, low, high):
            done += batch[0]
            if progress:
                progress(batch[1], end)
        _delete_extra(run, low, high)
        _save_place(run, min(high, end))
    keep_revision(store, store.registry.definitions.resource_types if types is None else types)
    store.settings.forget(_PLACE)
    return done


def _reindex_range(run: _Run, low: int, high: int) -> Iterator[tuple[int, int]]:
    """Works through one range; (how many, the last one) of each batch."""
    with run.store.reading(snapshot=True) as session:
        row_ids = _versions(run, session, low, high)
        wanted = None if run.types is None else set(row_ids)
        stored = stored_hashes(session, SHAPES, low, high, wanted)
    for start in range(0, len(row_ids), _BATCH):
        batch = row_ids[start : start + _BATCH]
        yield _renew(run, batch, {each: set(stored.pop(each, ())) for each in batch}), batch[-1]
        if run.extra_count > _MAX_EXTRA:
            _delete_extra(run, low, high)
    for row_id, hashes in stored.items():  # of versions that are not there any more
        run.extra[row_id] = set(hashes)


def _versions(run: _Run, session: Session, low: int, high: int) -> list[int]:
    """The numbers of the versions of a range that have index rows."""
    where, numbers = "1=1", list[int]()
    if run.types is not None:
        where, numbers = session.among("r.type", [run.store.numbers[each] for each in run.types])
    rows = session.stream(
        "SELECT r.row_id FROM resource r WHERE r.row_id BETWEEN ? AND ?"  # noqa: S608 - fixed text
        " AND NOT EXISTS (SELECT 1 FROM superseded s WHERE s.row_id = r.row_id"
        f" AND s.collected = 1) AND {where} ORDER BY r.row_id",
        (low, high, *numbers),
    )
    return [row_id for (row_id,) in rows]


def _renew(run: _Run, row_ids: Sequence[int], stored: dict[int, set[int]]) -> int:
    """Writes what is missing of some versions; how many of them are current."""
    store = run.store
    with store.reading() as session:
        where, parameters = session.among("row_id", list(row_ids))
        bodies = session.all(
            f"SELECT row_id, sort_date, compressed, body FROM resource WHERE {where}",  # noqa: S608 - fixed text
            parameters,
        )
    differences, terms = [], set()
    for row_id, sort_date, how, body in bodies:
        rows = rows_of(store, parse_json(unpacked(how, body)))
        differences.append(_difference(run, row_id, rows, sort_date, stored[row_id]))
        terms |= rows.terms
    new_terms = run.seen.unknown(terms)
    with store.writing() as session:
        where, parameters = session.among("row_id", list(row_ids))
        replaced = session.all(f"SELECT row_id FROM superseded WHERE {where}", parameters)  # noqa: S608 - fixed text
        gone = {row_id for (row_id,) in replaced}
        current = [each for each in differences if each.row_id not in gone]
        _write(session, [each for each in current if not each.is_empty])
        _renew_references(session, current)
        if new_terms:
            session.add_terms(sorted(new_terms))
    run.seen.learn(new_terms)
    return len(current)


def _difference(
    run: _Run, row_id: int, rows: IndexRows, sort_date: int, stored: set[int]
) -> _Difference:
    missing: list[list[Values]] = []
    for shape in SHAPES:
        lacking: list[Values] = []
        for values in shape.rows(rows):
            number = shape.hash(values)
            if number in stored:
                stored.discard(number)
            else:
                lacking.append((row_id, *values))
        missing.append(lacking)
    if stored:
        run.extra[row_id] = stored
        run.extra_count += len(stored)
    return _Difference(row_id, rows, missing, sort_date)


def _write(session: Session, differences: Sequence[_Difference]) -> None:
    for place, shape in enumerate(SHAPES):
        rows = [row for each in differences for row in each.missing[place]]
        if rows:
            shape.insert(session, rows)
    session.many(
        "UPDATE resource SET sort_date = ? WHERE row_id = ?",
        [(e.rows.date, e.row_id) for e in differences if e.rows.date != e.sort_date],
    )


def _renew_references(session: Session, current: Sequence[_Difference]) -> None:
    """References stand by version: those of a few versions are read and written at once."""
    if not current:
        return
    where, parameters = session.among("row_id", [each.row_id for each in current])
    stored = set(session.all(f"SELECT row_id, target, member FROM reference WHERE {where}", parameters))  # noqa: S608 # fmt: skip
    expected = {(each.row_id, *row) for each in current for row in REFERENCE.rows(each.rows)}
    if stored - expected:
        REFERENCE.delete(session, stored - expected)
    if expected - stored:
        REFERENCE.insert(session, list(expected - stored))


def _delete_extra(run: _Run, low: int, high: int) -> None:
    """One more pass over the index tables finds the rows too many of a range by their hashes."""
    if not run.extra:
        return
    for shape in SHAPES:
        rows: list[Values] = []
        with run.store.reading(snapshot=True) as session:
            for row in shape.stored(session, low, high):
                hashes = run.extra.get(row[0])
                if hashes and shape.hash(row[1:]) in hashes:
                    rows.append(row)
        for start in range(0, len(rows), _DELETE_BATCH):
            with run.store.writing() as session:
                shape.delete(session, rows[start : start + _DELETE_BATCH])
    run.extra, run.extra_count = {}, 0


def _load_place(run: _Run) -> int:
    """Where a run with the same types and rules was stopped."""
    written = run.store.settings.read(_PLACE)
    kept = msgspec.json.decode(written) if written else None
    return int(kept[0]) if isinstance(kept, list) and kept[1] == _rules(run) else 0


def _save_place(run: _Run, place: int) -> None:
    run.store.settings.write(_PLACE, msgspec.json.encode([place, _rules(run)]))


def _rules(run: _Run) -> dict[str, str]:
    digests = revision(run.store.registry)
    return {each: digests[each] for each in run.types or digests}

"""Writing: versions, index rows and change log of many resources in one go.

The same code serves one resource and a bulk load: what is put is gathered and written in
sorted batches (sorting before insert keeps index pages warm), at the latest on commit.
https://hl7.org/fhir/R4/http.html#update, #delete and #concurrency
"""
# ruff: noqa: S608 (SQL is put together from fixed text; every value is a parameter)

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from fhir_bridge import clock
from fhir_bridge.database import Session, instant_of, milliseconds, packed
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import Resource, render_json
from fhir_bridge.search import Indexer, IndexRows
from fhir_bridge.search.hashing import resource_key
from fhir_bridge.store.records import COLUMNS, Stored, Written, stored

__all__ = ["TermMemo", "Writer", "write_index"]

_MAX_PENDING = 5_000
_LOOKUP_BATCH = 500
_MAX_SENT = 200


class TermMemo:
    """Dictionary rows known to be stored, so that they are not offered again."""

    def __init__(self, limit: int = 200_000) -> None:
        self._known: set[tuple[int, str, int]] = set()
        self._limit = limit

    def unknown(self, terms: set[tuple[int, str, int]]) -> set[tuple[int, str, int]]:
        """Those of `terms` that must be written."""
        return terms - self._known

    def learn(self, terms: set[tuple[int, str, int]]) -> None:
        """Remembers terms that are committed."""
        if len(self._known) > self._limit:
            self._known = set()
        self._known |= terms


@dataclass(slots=True)
class _Current:
    """The newest version of a resource, as found."""

    row_id: int
    stored: Stored
    last_updated: int


@dataclass(slots=True)
class _Pending:
    """A version that is not written yet."""

    key: int
    type_number: int
    stored: Stored
    last_updated: int
    replaces: int
    rows: IndexRows


class Writer:
    """Gathers and writes versions within one transaction."""

    def __init__(
        self,
        session: Session,
        indexer: Indexer,
        numbers: Mapping[str, int],
        types: dict[int, str],
        seen: TermMemo,
    ) -> None:
        self._session = session
        self._indexer = indexer
        self._numbers = numbers
        self._types = types
        self._seen = seen
        self._pending: dict[int, _Pending] = {}
        self.new_terms: set[tuple[int, str, int]] = set()
        self.replaced = 0

    def put(
        self,
        resources: Sequence[Resource],
        *,
        if_match: int | None = None,
        create_only: bool = False,
    ) -> list[Written]:
        """A new version of each resource, unless its content is the stored one already."""
        keys = [_key(resource) for resource in resources]
        if len(set(keys)) < len(keys):
            # A resource twice in one batch: its versions follow each other.
            return [
                written
                for resource in resources
                for written in self.put([resource], if_match=if_match, create_only=create_only)
            ]
        current = self.current(keys, lock=True)
        now = milliseconds(clock.now())
        moment = now, instant_of(now)
        written = []
        for key, resource in zip(keys, resources, strict=True):
            before = current.get(key)
            _check(resource["resourceType"], resource["id"], before, if_match, create_only)
            written.append(self._version(key, resource, before, moment))
        if len(self._pending) >= _MAX_PENDING:
            self.flush()
        return written

    def delete(
        self, resource_type: str, id_: str, *, if_match: int | None = None
    ) -> Written | None:
        """A version that says "deleted"; None when there is nothing to delete."""
        key = resource_key(resource_type, id_)
        before = self.current([key], lock=True).get(key)
        if before is None:
            return None
        _check(resource_type, id_, before, if_match, False)
        if before.stored.deleted:
            return _written(before.stored, "unchanged")
        at = max(milliseconds(clock.now()), before.last_updated)
        gone = Stored(resource_type, id_, before.stored.version + 1, instant_of(at), True, b"")
        rows = IndexRows()
        members = self._session.all(
            "SELECT target, member FROM reference WHERE row_id = ?", (before.row_id,)
        )
        rows.references = {target: bool(member) for target, member in members}
        self._pending[key] = _Pending(
            key, self._numbers[resource_type], gone, at, before.row_id, rows
        )
        return _written(gone, "deleted")

    def current(self, keys: Sequence[int], *, lock: bool = False) -> dict[int, _Current]:
        """The newest version of each resource that has one, deleted ones included."""
        if self._pending and not self._pending.keys().isdisjoint(keys):
            self.flush()
        if lock and len(keys) <= _LOOKUP_BATCH:
            with self._session.together():
                self._session.lock_keys(keys)
                return self._newest(keys)
        return self._newest(keys)

    def _newest(self, keys: Sequence[int]) -> dict[int, _Current]:
        found: dict[int, _Current] = {}
        for start in range(0, len(keys), _LOOKUP_BATCH):
            where, parameters = self._session.among("r.key", keys[start : start + _LOOKUP_BATCH])
            rows = self._session.all(
                f"SELECT r.key, {COLUMNS} FROM resource r WHERE {where} AND r.version ="
                " (SELECT max(x.version) FROM resource x WHERE x.key = r.key)",
                parameters,
            )
            for key, *row in rows:
                found[key] = _Current(row[0], stored(tuple(row), self._types), row[4])
        return found

    def version(self, key: int, version: int) -> Stored | None:
        """One version of the resource with this key."""
        self.flush()
        row = self._session.one(
            f"SELECT {COLUMNS} FROM resource r WHERE r.key = ? AND r.version = ?", (key, version)
        )
        return stored(row, self._types) if row else None

    def flush(self) -> None:
        """Writes what was gathered."""
        if not self._pending:
            return
        pending, self._pending = list(self._pending.values()), {}
        row_ids, transaction = self._session.next_rows(len(pending))
        resources, superseded = [], []
        index: list[tuple[int, IndexRows]] = []
        for row_id, each in zip(row_ids, pending, strict=True):
            version, rows = each.stored, each.rows
            resources.append(
                (
                    row_id,
                    each.key,
                    each.type_number,
                    version.id,
                    version.version,
                    each.last_updated,
                    int(version.deleted),
                    rows.date,
                    transaction,
                    *packed(version.body),
                )
            )
            if each.replaces:
                superseded.append((each.replaces, row_id, transaction, 0))
            if version.deleted:
                superseded.append((row_id, row_id, transaction, 1))
            index.append((row_id, rows))
        self.replaced += sum(1 for each in pending if each.replaces)
        bulk = self._session.bulk
        with self._session.together() if len(pending) <= _MAX_SENT else nullcontext():
            bulk("resource", _RESOURCE, resources)
            bulk("superseded", _SUPERSEDED, superseded)
            terms = write_index(self._session, index)
            unknown = self._seen.unknown(terms)
            if unknown:
                self._session.add_terms(sorted(unknown))
                self.new_terms |= unknown

    def _version(
        self, key: int, resource: Resource, before: _Current | None, moment: tuple[int, str]
    ) -> Written:
        if before is not None and not before.stored.deleted:
            same = _with_meta(resource, before.stored.version, before.stored.last_updated)
            if render_json(same) == before.stored.body:
                return _written(before.stored, "unchanged")
        number = before.stored.version + 1 if before else 1
        at, instant = moment
        if before and before.last_updated > at:
            at, instant = before.last_updated, instant_of(before.last_updated)
        resource_type = resource["resourceType"]
        served = _with_meta(resource, number, instant)
        body = render_json(served)
        version = Stored(resource_type, resource["id"], number, instant, False, body)
        rows = self._indexer.rows(served)
        if resource_type == "Patient":
            rows.references[key] = True  # a Patient is in its own compartment
        created = before is None or before.stored.deleted
        replaces = before.row_id if before and not created else 0
        self._pending[key] = _Pending(
            key, self._numbers[resource_type], version, at, replaces, rows
        )
        return _written(version, "created" if created else "updated")


_RESOURCE = (
    "row_id", "key", "type", "id", "version", "last_updated", "deleted", "sort_date",
    "written_in", "compressed", "body",
)  # fmt: skip
_SUPERSEDED = ("row_id", "replaced_by", "written_in", "collected")
_QUANTITY = ("key", "low", "high", "row_id", "system", "code", "unit")


def write_index(
    session: Session, index: Sequence[tuple[int, IndexRows]]
) -> set[tuple[int, str, int]]:
    """Appends the index rows of versions in sorted batches; answers their dictionary rows."""
    postings, texts, dates, spans, quantities, references = [], [], [], [], [], []
    terms: set[tuple[int, str, int]] = set()
    for row_id, rows in index:
        date = rows.date
        postings += [(value, date, row_id) for value in rows.postings]
        texts += [(key, value, row_id, derived) for key, value, derived in rows.texts]
        dates += [(key, low, high, row_id) for key, low, high in rows.dates]
        spans += [(row_id, *each) for each in rows.spans]
        quantities += [(*each[:3], row_id, *each[3:]) for each in rows.quantities]
        references += [(row_id, key, int(member)) for key, member in rows.references.items()]
        terms |= rows.terms
    bulk = session.bulk
    bulk("posting", ("hash", "date", "row_id"), sorted(postings))
    bulk("string_value", ("key", "value", "row_id", "derived"), _texts_once(texts))
    bulk("date_value", ("key", "low", "high", "row_id"), sorted(dates))
    if spans:
        bulk("span", ("row_id", "key", "low", "high"), sorted(spans))
    bulk("quantity_value", _QUANTITY, sorted(quantities))
    bulk("reference", ("row_id", "target", "member"), references)
    return terms


def _key(resource: Resource) -> int:
    resource_type, id_ = resource.get("resourceType"), resource.get("id")
    if not isinstance(resource_type, str) or not isinstance(id_, str) or not id_:
        raise BridgeError("FB-5005")
    return resource_key(resource_type, id_)


def _with_meta(resource: Resource, version: int, instant: str) -> Resource:
    """`resource` as served: version and time first in ``meta``, everything else as given."""
    meta: dict[str, Any] = {"versionId": str(version), "lastUpdated": instant}
    given = resource.get("meta")
    if isinstance(given, dict):
        meta |= {name: value for name, value in given.items() if name not in meta}
    if "meta" in resource:
        return {**resource, "meta": meta}
    return {
        "resourceType": resource["resourceType"],
        "id": resource["id"],
        "meta": meta,
        **resource,
    }


def _check(
    resource_type: str,
    id_: str,
    before: _Current | None,
    if_match: int | None,
    create_only: bool,
) -> None:
    """Raises BridgeError FB-5001, FB-5002 or FB-5004 when a condition of the write fails."""
    exists = before is not None and not before.stored.deleted
    if create_only and exists:
        raise BridgeError("FB-5002", f"{resource_type}/{id_}", resource_type=resource_type, id=id_)
    if if_match is None:
        return
    if before is None or not exists:
        raise BridgeError("FB-5004", f"{resource_type}/{id_}", resource_type=resource_type, id=id_)
    if before.stored.version != if_match:
        raise BridgeError(
            "FB-5001",
            f"{resource_type}/{id_}",
            resource_type=resource_type,
            id=id_,
            found=before.stored.version,
            wanted=if_match,
        )


def _texts_once(rows: list[tuple[int, str, int, int]]) -> list[tuple[int, str, int, int]]:
    """Sorted; a text that is both a value and a derived form of one row counts as value."""
    kept: dict[tuple[int, str, int], int] = {}
    for key, value, row_id, derived in rows:
        known = kept.get((key, value, row_id))
        if known is None or derived < known:
            kept[key, value, row_id] = derived
    return [(*row, derived) for row, derived in sorted(kept.items())]


def _written(version: Stored, outcome: Any) -> Written:
    return Written(
        version.resource_type,
        version.id,
        version.version,
        version.last_updated,
        outcome,
        version.body,
    )

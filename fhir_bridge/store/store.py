"""The record: resources with their history and index, over SQLite or PostgreSQL.

A `Store` is shared by all threads of a process (`opening` makes one); several processes may open
the same record.  What keeps it sound (check, reindex, backup) is above it, in `maintenance`.
"""
# ruff: noqa: S608 (SQL is put together from fixed text; every value is a parameter)

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from fhir_bridge import clock
from fhir_bridge.access import Access, Compartment, load_compartment
from fhir_bridge.artifacts import Artifacts
from fhir_bridge.database import Session, Sql, Storage, milliseconds, repeated_once, unpacked
from fhir_bridge.errors import BridgeError
from fhir_bridge.journal import AtWork, Journal, Quarantine, UnreadCounts
from fhir_bridge.search import Indexer, Plan, Registry
from fhir_bridge.search.hashing import resource_key
from fhir_bridge.store.read.compartments import membership_numbers, types_in_compartment
from fhir_bridge.store.read.find import Finder
from fhir_bridge.store.read.history import HistoryQuery, history
from fhir_bridge.store.read.referrers import Referrers
from fhir_bridge.store.read.retention import Retention
from fhir_bridge.store.read.sight import seen_version
from fhir_bridge.store.records import COLUMNS, Page, Stored, stored
from fhir_bridge.store.select import At, Rights, Selector
from fhir_bridge.store.sources.audit_links import AuditLinks
from fhir_bridge.store.sources.emergencies import Emergencies
from fhir_bridge.store.sources.links import LoggedLink, of_patient
from fhir_bridge.store.sources.persons import patient_ids_by_key
from fhir_bridge.store.sources.reviews import Reviews
from fhir_bridge.store.symbols import number_symbols
from fhir_bridge.store.transaction import Transaction
from fhir_bridge.store.write.collect import collect
from fhir_bridge.store.write.writer import TermMemo, Writer

__all__ = ["Store"]

Answer = TypeVar("Answer")


class Store:
    """Resources with history and index, journal, quarantine and identity keys."""

    def __init__(
        self,
        storage: Storage,
        registry: Registry,
        *,
        cursor_key: bytes | None,
        keep_snapshots: int,
        compartment: Compartment | None = None,
    ) -> None:
        self.storage = storage
        self.reading, self.writing = storage.reading, storage.writing
        self.settings = storage.settings
        self.registry = registry
        self.compartment = compartment or load_compartment(Artifacts())
        self.numbers = number_symbols(storage.database, registry)
        self.types = {self.numbers[name]: name for name in registry.definitions.resource_types}
        self.indexer = Indexer(registry, self.numbers)
        self._members = membership_numbers(registry, self.numbers)
        self._seen = TermMemo()
        secret = cursor_key or self.settings.get_or_create(
            "cursor key", lambda: secrets.token_bytes(32)
        )
        self._retention = Retention(self.settings, keep_snapshots)
        self.finder = Finder(
            registry,
            self.numbers,
            self.types,
            secret,
            registry.main_dates,
            keep_snapshots,
            self._retention,
            self.compartment,
        )
        self.referrers = Referrers(registry, self.numbers, self.types)
        self.journal = Journal(storage)
        self.quarantine = Quarantine(storage)
        self.at_work = AtWork(storage)
        self.reviews = Reviews(storage)
        self.unread = UnreadCounts(storage)
        self.emergencies = Emergencies(storage)
        self.audit_links = AuditLinks(storage, self.indexer, self.numbers["AuditEvent"])

    @contextmanager
    def transaction(self, *, limited: bool = False) -> Iterator[Transaction]:
        """One transaction: commits when the block ends well, otherwise leaves no trace.

        Raises BridgeError FB-5003 when another writer changed the same resource at the same
        time; `run` tries again.  With `limited` each statement has the time of a query
        (FB-5011).
        """
        with self.writing(limited=limited) as session:
            writer = Writer(session, self.indexer, self.numbers, self.types, self._seen)
            yield Transaction(session, writer, self.finder, self.referrers)
            writer.flush()
            if writer.replaced:
                before = self._retention.oldest(milliseconds(clock.now()))
                collect(session, self.indexer, writer.replaced * 2, before)
        self._seen.learn(writer.new_terms)

    def run(
        self,
        work: Callable[[Transaction], Answer],
        *,
        before: Callable[[], None] = lambda: None,
        attempts: int = 8,
    ) -> Answer:
        """`work` in a limited transaction, again after a collision with another writer.

        What takes long and needs no lock belongs `before` each attempt: nobody waits for it.
        """
        while True:
            before()
            attempts -= 1
            try:
                with self.transaction(limited=True) as tx:
                    return work(tx)
            except BridgeError as error:
                if error.code != "FB-5003" or attempts < 1:
                    raise

    def read(
        self,
        resource_type: str,
        id_: str,
        access: Access | None = None,
        interaction: str = "r",
    ) -> Stored | None:
        """The newest version (also one that says "deleted"), when the caller may see it.

        `interaction` is the letter (of ``cruds``) whose reach is asked.
        """
        return self._read(
            ("r.key = ? ORDER BY r.version DESC LIMIT 1", [resource_key(resource_type, id_)]),
            (resource_type, id_), access, interaction, newest=True,
        )  # fmt: skip

    def vread(
        self, resource_type: str, id_: str, version: int, access: Access | None = None
    ) -> Stored | None:
        """One version of a resource."""
        return self._read(
            ("r.key = ? AND r.version = ?", [resource_key(resource_type, id_), version]),
            (resource_type, id_), access, "r", newest=False,
        )  # fmt: skip

    @repeated_once
    def find(self, plan: Plan, access: Access | None = None, cursor: str = "") -> Page:
        """One page of a search."""
        with self.reading(snapshot=plan.directives.total != "none", limited=True) as session:
            return self.finder.find(session, plan, access or Access.everything(), cursor)

    @repeated_once
    def count(self, plan: Plan, access: Access | None = None) -> int:
        """How many resources a search finds."""
        with self.reading(limited=True) as session:
            return self.finder.count(session, plan, access or Access.everything())

    @repeated_once
    def types_in_compartment(self, patient_id: str) -> frozenset[str]:
        """The types of resources that are, or lately were, in a Patient's compartment."""
        with self.reading(limited=True) as session:
            return types_in_compartment(session, self._members, patient_id)

    @repeated_once
    def history(
        self,
        resource_type: str | None = None,
        id_: str | None = None,
        *,
        since: int | None = None,
        at: tuple[int, int] | None = None,
        count: int = 50,
        cursor: str = "",
        access: Access | None = None,
    ) -> Page:
        """Versions, newest first: of a resource, of a type, or of everything."""
        query = HistoryQuery(resource_type or "", id_ or "", since, at, count)
        with self.reading(snapshot=True, limited=True) as session:
            letter = "r" if id_ else "s"
            selector = self._selector(session, access or Access.everything(), letter)
            sealing = (self.finder.secret, self.finder.keep_snapshots)
            return history(selector, query, self.types, sealing, cursor)

    def bodies(self, resource_type: str, access: Access | None = None) -> Iterator[bytes]:
        """The body of every current resource of a type, streamed in the order of the change log."""
        wanted = access or Access.everything()
        if not wanted.allows(resource_type, "s"):
            return
        with self.reading(snapshot=True) as session:
            selector = self._selector(session, wanted, "s")
            tests = [selector.live("r.row_id")]
            seen = selector.visible(resource_type, At("r.row_id", "r.sort_date"))
            tests += [] if seen is None else [seen]
            where = " AND ".join(["r.type = ?", *(each[0] for each in tests)])
            parameters = [value for each in tests for value in each[1]]
            sql = f"SELECT r.compressed, r.body FROM resource r WHERE {where} ORDER BY r.row_id"
            for how, body in session.stream(sql, [self.numbers[resource_type], *parameters]):
                yield unpacked(how, body)

    @repeated_once
    def link_log(self, patient_id: str) -> list[LoggedLink]:
        """The decisions on who is one Patient, oldest first (`fhir_bridge.identity.decisions`)."""
        with self.reading() as session:
            return of_patient(session, patient_id)

    def identity_keys(self, keys: Iterable[bytes]) -> dict[bytes, str]:
        """Patient ids by key, for the keys that are known (`fhir_bridge.identity`)."""
        with self.reading() as session:
            return patient_ids_by_key(session, keys)

    @repeated_once
    def counts_by_type(self) -> dict[str, int]:
        """How many current resources there are of each type."""
        with self.reading() as session:
            rows = session.all(
                "SELECT r.type, count(*) FROM resource r WHERE NOT EXISTS"
                " (SELECT 1 FROM superseded s WHERE s.row_id = r.row_id) GROUP BY r.type"
            )
        return {self.types[number]: count for number, count in rows}

    def latest_change(self) -> int:
        """The number of the newest committed change."""
        with self.reading() as session:
            return session.pin()[0]

    def pin(self) -> tuple[int, str]:
        """What stays the same as long as nothing is committed."""
        with self.reading() as session:
            return session.pin()

    def collect(self, limit: int = 10_000) -> int:
        """Drops index rows of versions replaced long ago and compresses their bodies."""
        before = self._retention.oldest(milliseconds(clock.now()))
        with self.writing() as session:
            return collect(session, self.indexer, limit, before)

    def release_connections(self) -> None:
        """Closes connections that are not in use, for now: none may live through a fork."""
        self.storage.database.release_connections()

    def close(self) -> None:
        """Closes every connection that is not in use."""
        self.storage.database.close()

    @repeated_once
    def _read(
        self, where: Sql, place: tuple[str, str], access: Access | None, interaction: str,
        *, newest: bool,
    ) -> Stored | None:  # fmt: skip
        resource_type, parameters = place[0], where[1]
        with self.reading(limited=True) as session:
            columns, values = COLUMNS, list[object]()
            if access is not None and access.is_limited(resource_type, interaction):
                selector = self._selector(session, access, interaction)
                at = At("r.row_id", "r.sort_date")
                test = (
                    selector.visible(resource_type, at)
                    if newest
                    else seen_version(selector, resource_type)
                )
                if test is not None:
                    columns, values = f"{COLUMNS}, CASE WHEN {test[0]} THEN 1 ELSE 0 END", test[1]
            row = session.one(
                f"SELECT {columns} FROM resource r WHERE {where[0]}", [*values, *parameters]
            )
            if row is None or (columns is not COLUMNS and not row[8]):
                return None
            found = stored(row[:8], self.types)
            return found if (found.resource_type, found.id) == place else None

    def _selector(self, session: Session, access: Access, interaction: str) -> Selector:
        rights = Rights(access, interaction, self.registry, self.compartment)
        return Selector(session, self.numbers, rights)

    @property
    def naming_key(self) -> bytes:
        """The record's own key for ids that follow from identifiers (`clock.set_id_key`)."""
        return self.settings.get_or_create("naming key", lambda: secrets.token_bytes(32))

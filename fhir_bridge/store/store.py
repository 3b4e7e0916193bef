"""The record: one store over SQLite or PostgreSQL.

``open_store(url, registry=…)`` creates or migrates the schema and answers a `Store`, which
is shared by all threads of a process; several processes may open the same one.
"""
# ruff: noqa: S608 (SQL is put together from fixed text; every value is a parameter)

from __future__ import annotations

import math
import os
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from logging import WARNING
from pathlib import Path
from typing import TypeVar

from fhir_bridge import clock, log
from fhir_bridge.errors import BridgeError, Issue
from fhir_bridge.search import Access, Plan, Registry
from fhir_bridge.search.hashing import resource_key
from fhir_bridge.store.at_work import AtWork
from fhir_bridge.store.backup import Manifest, back_up, restore
from fhir_bridge.store.bodies import unpacked
from fhir_bridge.store.checking import Checked, check
from fhir_bridge.store.collecting import collect
from fhir_bridge.store.compartments import membership_numbers, types_in_compartment
from fhir_bridge.store.database import Database, database_at
from fhir_bridge.store.faults import LOCKED, is_storage_fault, repeated_once
from fhir_bridge.store.finding import Finder
from fhir_bridge.store.held import Held
from fhir_bridge.store.history import HistoryQuery, history
from fhir_bridge.store.holds import Holds
from fhir_bridge.store.including import visible_rows
from fhir_bridge.store.journal import Journal
from fhir_bridge.store.links import LoggedLink, of_patient
from fhir_bridge.store.migrations import migrate
from fhir_bridge.store.persons import keys_found
from fhir_bridge.store.quarantine import Quarantine
from fhir_bridge.store.records import COLUMNS, Page, Stored, milliseconds, stored
from fhir_bridge.store.referring import referring_numbers
from fhir_bridge.store.reindexing import reindex
from fhir_bridge.store.revision import outdated_types
from fhir_bridge.store.select import Selector
from fhir_bridge.store.session import Session
from fhir_bridge.store.settings import KeptSettings
from fhir_bridge.store.shared_identities import AllNumbers
from fhir_bridge.store.symbols import number_symbols
from fhir_bridge.store.transaction import Transaction
from fhir_bridge.store.unread import UnreadCounts
from fhir_bridge.store.writing import SeenTerms, Writer

__all__ = ["Store", "open_store"]

Answer = TypeVar("Answer")
_SNAPSHOTS_KEPT = 15 * 60 * 1000
_NO_TROUBLE: tuple[float, Issue | None] = (0.0, None)
"""When (monotonic) and why the last write could not be stored."""
_TRIAL_SECONDS, _TRIAL_BYTES = 5.0, 1 << 18
"""How often storing is tried while it fails; enough bytes that a full disk shows."""


class Store:
    """Resources with history and index, journal, quarantine and identity keys."""

    def __init__(
        self,
        database: Database,
        registry: Registry,
        *,
        cursor_key: bytes | None,
        keep_snapshots: int,
    ) -> None:
        self.database = database
        self.registry = registry
        self.settings = KeptSettings(database)
        self.numbers = number_symbols(database, registry)
        self.types = {self.numbers[name]: name for name in registry.definitions.resource_types}
        self.indexer = registry.indexer(self.numbers)
        self._members = membership_numbers(registry, self.numbers)
        self._seen = SeenTerms()
        secret = cursor_key or self.settings.made_once(
            "cursor key", lambda: secrets.token_bytes(32)
        )
        self._holds = Holds(self.settings, keep_snapshots)
        self.finder = Finder(
            registry,
            self.numbers,
            self.types,
            secret,
            registry.main_dates,
            keep_snapshots,
            self._holds,
        )
        self.journal = Journal(self)
        self.quarantine = Quarantine(self)
        self.at_work = AtWork(self)
        self.held = Held(self)
        self.unread = UnreadCounts(self)
        self._referring: dict[str, list[int]] = {}
        self._trouble = _NO_TROUBLE

    @contextmanager
    def reading(self, *, snapshot: bool = False, limited: bool = False) -> Iterator[Session]:
        """A connection for queries.  Raises BridgeError FB-5011 when a `limited` one is late."""
        with self.database.reading(snapshot=snapshot, limited=limited) as session:
            yield session

    @contextmanager
    def writing(self, *, limited: bool = False) -> Iterator[Session]:
        """A connection in a write transaction.  Raises BridgeError FB-5003 on a collision."""
        try:
            with self.database.writing(limited=limited) as session:
                yield session
            self._trouble = _NO_TROUBLE
        except BridgeError as error:
            if is_storage_fault(error):
                self._trouble = time.monotonic(), error.issues[0]
            raise
        except Exception as error:
            if self.database.is_conflict(error):
                raise BridgeError("FB-5003") from error
            raise

    @contextmanager
    def transaction(self, *, limited: bool = False) -> Iterator[Transaction]:
        """One transaction: commits when the block ends well, otherwise leaves no trace.

        Raises BridgeError FB-5003 when another writer changed the same resource at the same
        time; `run` tries again.  With `limited` each statement has the time of a query
        (FB-5011).
        """
        writer: Writer | None = None
        with self.writing(limited=limited) as session:
            writer = Writer(session, self.indexer, self.numbers, self.types, self._seen)
            yield Transaction(self, session, writer)
            writer.flush()
            if writer.replaced:
                before = self._holds.oldest(milliseconds(clock.now()))
                collect(session, self.indexer, writer.replaced * 2, before)
        self._seen.learn(writer.new_terms)

    def run(self, work: Callable[[Transaction], Answer], *, attempts: int = 8) -> Answer:
        """`work` in a limited transaction, again after a collision with another writer."""
        for _ in range(attempts - 1):
            try:
                with self.transaction(limited=True) as tx:
                    return work(tx)
            except BridgeError as error:
                if error.code != "FB-5003":
                    raise
        with self.transaction(limited=True) as tx:
            return work(tx)

    def read(self, resource_type: str, id_: str, access: Access | None = None) -> Stored | None:
        """The newest version (also one that says "deleted"), when the caller may see it."""
        return self._read(
            "r.key = ? ORDER BY r.version DESC LIMIT 1",
            [resource_key(resource_type, id_)], resource_type, id_, access,
        )  # fmt: skip

    def vread(
        self, resource_type: str, id_: str, version: int, access: Access | None = None
    ) -> Stored | None:
        """One version of a resource."""
        return self._read(
            "r.key = ? AND r.version = ?",
            [resource_key(resource_type, id_), version], resource_type, id_, access,
        )  # fmt: skip

    @repeated_once
    def find(self, plan: Plan, access: Access | None = None, cursor: str = "") -> Page:
        """One page of a search."""
        with self.reading(snapshot=plan.directives.total != "none", limited=True) as session:
            return self.finder.find(session, plan, access or Access.everything(), cursor)

    @repeated_once
    def count(self, plan: Plan, access: Access | None = None) -> int:
        """How many resources a search finds."""
        from fhir_bridge.store.finding import count

        with self.reading(limited=True) as session:
            everything = access or Access.everything()
            main_dates = self.finder.main_dates
            selector = Selector(session, self.numbers, everything, None, main_dates)
            return count(selector, plan)

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
            selector = Selector(session, self.numbers, access or Access.everything())
            sealing = (self.finder.secret, self.finder.keep_snapshots)
            return history(selector, query, self.types, sealing, cursor)

    def bodies(self, resource_type: str, access: Access | None = None) -> Iterator[bytes]:
        """The body of every current resource of a type, streamed in the order of the change log."""
        wanted = access or Access.everything()
        if not wanted.allows_type(resource_type):
            return
        with self.reading(snapshot=True) as session:
            selector = Selector(session, self.numbers, wanted)
            tests = [selector.live("r.row_id")]
            if wanted.needs_compartment(resource_type):
                tests.append(selector.members("r.row_id", sorted(wanted.patient_ids or ())))
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

    def referring_numbers(self, target: str) -> list[int]:
        """Numbers of the indexes that hold references to resources of the type `target`."""
        if target not in self._referring:
            self._referring[target] = referring_numbers(self.registry, self.numbers, target)
        return self._referring[target]

    def identity_keys(self, keys: Iterable[bytes]) -> dict[bytes, str]:
        """Patient ids by key, for the keys that are known (`fhir_bridge.identity`)."""
        with self.reading() as session:
            return keys_found(session, keys)

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

    def collect(self, limit: int = 10_000) -> int:
        """Drops index rows of versions replaced long ago and compresses their bodies."""
        before = self._holds.oldest(milliseconds(clock.now()))
        with self.writing() as session:
            return collect(session, self.indexer, limit, before)

    def check(
        self,
        *,
        restart: bool = False,
        progress: Callable[[int, int], None] | None = None,
        numbers: AllNumbers | None = None,
    ) -> Checked:
        """Whether index, histories, references and numbers of persons hold together."""
        return check(self, restart=restart, progress=progress, numbers=numbers)

    def reindex(
        self,
        types: Iterable[str] | None = None,
        *,
        restart: bool = False,
        progress: Callable[[int, int], None] | None = None,
    ) -> int:
        """Makes the index of `types` (None: all) anew, online; goes on where a run was stopped."""
        return reindex(self, types, restart=restart, progress=progress)

    def outdated_types(self) -> frozenset[str]:
        """The types with resources that were indexed by other rules than this process has."""
        return outdated_types(self)

    def index_issues(self) -> list[Issue]:
        """FB-5012 when the index of some types was made by other rules."""
        types = sorted(self.outdated_types())
        details = {"types": ", ".join(types)}
        return [Issue("FB-5012", "warning", details=details)] if types else []

    def suspect_storage(self) -> None:
        """Another process could not write: `storage_trouble` tries it here."""
        if self._trouble[1] is None:
            self._trouble = -math.inf, Issue("FB-6006")

    def storage_trouble(self) -> Issue | None:
        """Why nothing can be stored now (FB-5013 to FB-5017), as far as is known; None if it can.

        After a write that failed another one is tried here, so that trouble ends by itself;
        a lock is not waited for, it counts as gone after a while.
        """
        since, trouble = self._trouble
        if trouble is None or time.monotonic() - since < _TRIAL_SECONDS:
            return trouble
        try:
            if trouble.code != LOCKED:
                self.settings.write("trial", os.urandom(_TRIAL_BYTES))
                self.settings.forget("trial")
            trouble = None
        except BridgeError as error:
            trouble = error.issues[0]
        self._trouble = time.monotonic(), trouble
        return trouble

    def back_up(self, path: Path) -> Manifest:
        """Writes a verified backup to a file that is not there yet."""
        return back_up(self, path)

    def restore(self, path: Path) -> Manifest:
        """Fills this empty store from a backup.  Raises BridgeError FB-5008."""
        return restore(self, path)

    def let_go(self) -> None:
        """Closes connections that are not in use, for now: none may live through a fork."""
        self.database.let_go()

    def close(self) -> None:
        """Closes every connection that is not in use."""
        self.database.close()

    @repeated_once
    def _read(
        self, where: str, parameters: list[object], resource_type: str, id_: str,
        access: Access | None,
    ) -> Stored | None:  # fmt: skip
        with self.reading(limited=True) as session:
            row = session.one(f"SELECT {COLUMNS} FROM resource r WHERE {where}", parameters)
            if row is None:
                return None
            found = stored(row, self.types)
            if found.id != id_ or found.resource_type != resource_type:
                return None
            if access is None or access.is_everything:
                return found
            selector = Selector(session, self.numbers, access)
            seen = visible_rows(selector, [found])
            return seen[0] if seen else None

    @property
    def naming_key(self) -> bytes:
        """The record's own key for ids that follow from identifiers (`clock.name_ids_with`)."""
        return self.settings.made_once("naming key", lambda: secrets.token_bytes(32))


def open_store(
    url: str,
    *,
    registry: Registry,
    cursor_key: bytes | None = None,
    keep_snapshots: int = _SNAPSHOTS_KEPT,
    query_seconds: float | None = None,
) -> Store:
    """The store at ``sqlite:////path/file.sqlite3`` or ``postgresql+psycopg://…``.

    `cursor_key` seals page links (default: a key kept in the database); `keep_snapshots`
    are the milliseconds for which a page link holds after it was given; `query_seconds` bounds each query of
    `read`, `find`, `history` and `run` (FB-5011; default: no bound).  Raises BridgeError
    FB-5006, FB-5009.
    """
    database = database_at(url, query_seconds)
    engine = database.engine()
    try:
        migrate(engine)
        store = Store(database, registry, cursor_key=cursor_key, keep_snapshots=keep_snapshots)
        for issue in store.index_issues():
            named = issue.details["types"]
            log.event("index_outdated", level=WARNING, code=issue.code, resource_type=named)
        return store
    except BaseException:
        database.close()
        raise
    finally:
        engine.dispose()

"""One database transaction on the record: resources, index, change log, journal, identity."""
# ruff: noqa: S608 (SQL is put together from fixed text; every value is a parameter)

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from fhir_bridge import clock
from fhir_bridge.fhir import Resource
from fhir_bridge.search import Access, Plan
from fhir_bridge.search.hashing import resource_key
from fhir_bridge.store import journal, links, quarantine
from fhir_bridge.store.links import LoggedLink
from fhir_bridge.store.records import Page, Stored, Written, milliseconds
from fhir_bridge.store.session import Session
from fhir_bridge.store.writing import Writer

if TYPE_CHECKING:
    from fhir_bridge.store.store import Store

__all__ = ["Transaction"]

_ASKED_AT_ONCE = 500


class Transaction:
    """What may be done within ``with store.transaction() as tx``.

    All of it becomes visible and durable together when the block ends well, and none of it
    otherwise.  Reads see what was put before.  Use by one thread at a time.
    """

    def __init__(self, store: Store, session: Session, writer: Writer) -> None:
        self._store = store
        self._session = session
        self._writer = writer

    def read(self, resource_type: str, id_: str) -> Stored | None:
        """The newest version, also one that says "deleted"; None when there never was one."""
        key = resource_key(resource_type, id_)
        found = self._writer.current([key]).get(key)
        return found.stored if found else None

    def read_many(self, ids: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Stored]:
        """The newest versions of (type, id) pairs that are stored and not deleted."""
        keys = [resource_key(*each) for each in ids]
        found = self._writer.current(keys)
        return {
            (each.stored.resource_type, each.stored.id): each.stored
            for each in found.values()
            if not each.stored.deleted
        }

    def exists(self, ids: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
        """Those (type, id) pairs that are stored and not deleted."""
        return set(self.read_many(ids))

    def put(
        self, resource: Resource, *, if_match: int | None = None, create_only: bool = False
    ) -> Written:
        """Stores a version of `resource` (with ``resourceType`` and ``id``).

        Content that is stored already writes nothing and is answered "unchanged".  Raises
        BridgeError FB-5001 (not at version `if_match`), FB-5002 (`create_only` and there),
        FB-5004 (`if_match` and not there), FB-5005 (no type or id).
        """
        return self._writer.put([resource], if_match=if_match, create_only=create_only)[0]

    def put_many(self, resources: Iterable[Resource]) -> list[Written]:
        """The same for many; one call for a batch costs far less than many calls."""
        return self._writer.put(list(resources))

    def delete(
        self, resource_type: str, id_: str, *, if_match: int | None = None
    ) -> Written | None:
        """Stores a version that says "deleted"; None when there never was a resource."""
        return self._writer.delete(resource_type, id_, if_match=if_match)

    def find(self, plan: Plan, access: Access, cursor: str = "") -> Page:
        """A page of `plan`, seeing this transaction's own writes."""
        self._writer.flush()
        return self._store.finder.find(self._session, plan, access, cursor)

    def lock(self, name: str) -> None:
        """Waits until no other open transaction holds the lock of this name, and takes it.

        It is let go at the end of the transaction.  Who looks for something and writes when it is
        not there takes the lock of what is looked for first.  On SQLite the one writer has it
        anyway.
        """
        self._session.lock_keys([resource_key("", name)])

    def take_turn(self, name: str, holder: bytes) -> bool:
        """Takes the lock of `name`; whether `holder` also had the turn before.

        When not, what the holder remembers of the record may be out of date.
        """
        self.lock(name)
        setting = f"turn {name}"
        row = self._session.one("SELECT value FROM setting WHERE name = ?", (setting,))
        if row and bytes(row[0]) == holder:
            return True
        self._session.run(
            "INSERT INTO setting (name, value) VALUES (?, ?)"
            " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (setting, holder),
        )
        return False

    def flush(self) -> None:
        """Writes what was put so far to the database (commit does it anyway)."""
        self._writer.flush()

    def journal_done(
        self, message_id: int, status: journal.Status = "done", detail: str = ""
    ) -> None:
        """Marks a journal message within this transaction."""
        journal.mark(self._session, message_id, status, detail)

    def journal_pending(self, message_ids: Sequence[int]) -> set[int]:
        """Those journal messages that nobody has finished."""
        return journal.still_pending(self._session, message_ids)

    def quarantine_add(self, entry: quarantine.QuarantineEntry) -> int:
        """Puts an item into quarantine within this transaction."""
        return quarantine.add(self._session, entry)

    def identity_keys(self, keys: Iterable[bytes], /) -> Mapping[bytes, str]:
        """Patient ids by key, for the keys that are known."""
        wanted = list(keys)
        found: dict[bytes, str] = {}
        for start in range(0, len(wanted), _ASKED_AT_ONCE):
            where, parameters = _among_bytes(wanted[start : start + _ASKED_AT_ONCE])
            rows = self._session.all(
                f"SELECT key, patient_id FROM identity_key WHERE {where}",
                parameters,
            )
            found.update((bytes(key), patient_id) for key, patient_id in rows)
        return found

    def set_identity_keys(self, patient_ids: Mapping[bytes, str], /) -> None:
        """Points each key at a Patient, also one that pointed elsewhere."""
        self._session.many(
            "INSERT INTO identity_key (key, patient_id) VALUES (?, ?)"
            " ON CONFLICT (key) DO UPDATE SET patient_id = excluded.patient_id",
            sorted(patient_ids.items()),
        )

    def add_identity_keys(self, pairs: Iterable[tuple[bytes, str]], /) -> None:
        """Adds (key, patient id) pairs; a key that is known keeps its Patient."""
        self._session.many(
            "INSERT INTO identity_key (key, patient_id) VALUES (?, ?) ON CONFLICT DO NOTHING",
            sorted(pairs),
        )

    def identity_statements(self, patient_id: str, /) -> list[tuple[str, str, int, bytes]]:
        """(feed, key, rank, Patient as JSON) of every statement behind a Patient."""
        rows = self._session.all(
            "SELECT feed, key, rank, body FROM identity_statement WHERE patient_id = ?"
            " ORDER BY feed, key",
            (patient_id,),
        )
        return [(feed, key, rank, bytes(body)) for feed, key, rank, body in rows]

    def put_identity_statement(
        self, patient_id: str, feed: str, key: str, rank: int, body: bytes, /
    ) -> None:
        """Adds or replaces the statement of (feed, key); it may move from another Patient."""
        self._session.run(
            "INSERT INTO identity_statement (feed, key, patient_id, rank, body)"
            " VALUES (?,?,?,?,?) ON CONFLICT (feed, key) DO UPDATE SET"
            " patient_id = excluded.patient_id, rank = excluded.rank, body = excluded.body",
            (feed, key, patient_id, rank, body),
        )

    def drop_identity_statement(self, feed: str, key: str, /) -> None:
        """Takes the statement of (feed, key) away, when there is one."""
        self._session.run("DELETE FROM identity_statement WHERE feed = ? AND key = ?", (feed, key))

    def link_log(self, patient_id: str, /) -> list[LoggedLink]:
        """The decisions on one Patient, oldest first."""
        return links.of_patient(self._session, patient_id)

    def link_entry(self, entry_id: int, /) -> LoggedLink | None:
        """One decision; None when there is none of this number."""
        return links.entry(self._session, entry_id)

    def log_link(
        self, patient_id: str, feed: str, key: str, rule: str, detail: str = "", /
    ) -> None:
        """Adds one decision to the append-only link log."""
        self._session.run(
            "INSERT INTO link_log (at, patient_id, feed, key, rule, detail) VALUES (?,?,?,?,?,?)",
            (milliseconds(clock.now()), patient_id, feed, key, rule, detail),
        )


def _among_bytes(values: Sequence[bytes]) -> tuple[str, list[bytes]]:
    places = ",".join("?" * len(values))
    return (f"key IN ({places})" if values else "1=0"), list(values)

"""One database transaction on the record: resources, index, change log, journal, identity."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from fhir_bridge import clock
from fhir_bridge.access import Access
from fhir_bridge.database import Session, milliseconds
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import Resource
from fhir_bridge.journal import (
    Refusal,
    Status,
    UnreadTally,
    add_to_quarantine,
    count_unread,
    mark,
    still_pending,
)
from fhir_bridge.search import Plan
from fhir_bridge.search.hashing import resource_key
from fhir_bridge.store.read.find import Finder
from fhir_bridge.store.read.referrers import Referrers
from fhir_bridge.store.records import Page, Stored, Written
from fhir_bridge.store.sources import emergencies, links, persons, statements
from fhir_bridge.store.sources.emergencies import Emergency
from fhir_bridge.store.sources.links import LoggedLink
from fhir_bridge.store.sources.reviews import ReviewRow, add_review
from fhir_bridge.store.sources.statements import ContainerRow, StatementRow
from fhir_bridge.store.write.writer import Writer

__all__ = ["Changed", "Transaction"]

Changed = Callable[["Transaction", Written, Stored | None], None]
"""Called with a change that was made in a transaction, and what was there before."""


class Transaction:
    """What may be done within ``with store.transaction() as tx``.

    All of it becomes visible and durable together when the block ends well, and none of it
    otherwise.  Reads see what was put before.  Use by one thread at a time.
    """

    def __init__(
        self, session: Session, writer: Writer, finder: Finder, referrers: Referrers
    ) -> None:
        self._session = session
        self._writer = writer
        self._finder = finder
        self._referrers = referrers
        self._kept: frozenset[str] = frozenset()
        self._changed: Changed | None = None

    def watch(self, kept: frozenset[str], changed: Changed | None = None) -> None:
        """From now on resources of the types `kept` are neither changed nor deleted (FB-4205).

        `changed` is told of every change that was made, with what was there before it.
        """
        self._kept, self._changed = kept, changed

    def read(self, resource_type: str, id_: str) -> Stored | None:
        """The newest version, also one that says "deleted"; None when there never was one."""
        key = resource_key(resource_type, id_)
        found = self._writer.current([key]).get(key)
        return found.stored if found else None

    def newest(self, keys: Iterable[int]) -> dict[int, Stored]:
        """The newest version of each resource (by `resource_key`), deleted ones too."""
        return {key: each.stored for key, each in self._writer.current(list(keys)).items()}

    def reference_of(self, key: int) -> str | None:
        """``Type/id`` of the resource with this key; None when there never was one."""
        found = self._writer.current([key]).get(key)
        return f"{found.stored.resource_type}/{found.stored.id}" if found else None

    def version(self, resource_type: str, id_: str, version: int) -> Stored | None:
        """One version of a resource; None when it is not kept."""
        return self._writer.version(resource_key(resource_type, id_), version)

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
        before = self._before([resource])
        written = self._writer.put([resource], if_match=if_match, create_only=create_only)
        self._tell(written, before)
        return written[0]

    def put_many(self, resources: Iterable[Resource]) -> list[Written]:
        """The same for many; one call for a batch costs far less than many calls."""
        listed = list(resources)
        before = self._before(listed)
        written = self._writer.put(listed)
        self._tell(written, before)
        return written

    def delete(
        self, resource_type: str, id_: str, *, if_match: int | None = None
    ) -> Written | None:
        """Stores a version that says "deleted"; None when there never was a resource."""
        before = self._before([{"resourceType": resource_type, "id": id_}])
        written = self._writer.delete(resource_type, id_, if_match=if_match)
        self._tell([written] if written is not None else [], before)
        return written

    def _before(self, resources: Sequence[Resource]) -> dict[tuple[str, str], Stored]:
        """What is there of those that somebody watches; refuses those that are kept as they are."""
        watched = [
            (str(each.get("resourceType")), str(each.get("id")))
            for each in resources
            if self._changed is not None or each.get("resourceType") in self._kept
        ]
        if not watched:
            return {}
        before = self.read_many(watched)
        if any(resource_type in self._kept for resource_type, _ in before):
            raise BridgeError("FB-4205")
        return before

    def _tell(self, written: Sequence[Written], before: Mapping[tuple[str, str], Stored]) -> None:
        changed, self._changed = self._changed, None
        if changed is not None:
            for each in written:
                changed(self, each, before.get((each.resource_type, each.id)))
        self._changed = changed

    def find(self, plan: Plan, access: Access, cursor: str = "") -> Page:
        """A page of `plan`, seeing this transaction's own writes."""
        self._writer.flush()
        return self._finder.find(self._session, plan, access, cursor, writing=True)

    def reaches(self, access: Access, interaction: str, resource_type: str, id_: str) -> bool:
        """Whether the newest version is within reach of an interaction (a letter); sees own writes."""
        self._writer.flush()
        return self._finder.reaches(self._session, access, interaction, (resource_type, id_))

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

    def journal_done(self, message_id: int, status: Status = "done", detail: str = "") -> None:
        """Marks a journal message within this transaction."""
        mark(self._session, message_id, status, detail)

    def journal_pending(self, message_ids: Sequence[int]) -> set[int]:
        """Those journal messages that nobody has finished."""
        return still_pending(self._session, message_ids)

    def quarantine_add(self, refusal: Refusal) -> int:
        """Puts an item into quarantine within this transaction."""
        return add_to_quarantine(self._session, refusal)

    def count_unread(self, tallies: Iterable[UnreadTally]) -> None:
        """Adds to the counts of what no map reads."""
        count_unread(self._session, tallies)

    def identity_keys(self, keys: Iterable[bytes], /) -> Mapping[bytes, str]:
        """Patient ids by key, for the keys that are known."""
        return persons.patient_ids_by_key(self._session, keys)

    def set_identity_keys(self, patient_ids: Mapping[bytes, str], /) -> None:
        """Points each key at a Patient, also one that pointed elsewhere; "" takes it away."""
        persons.set_keys(self._session, patient_ids)

    def add_identity_keys(self, pairs: Iterable[tuple[bytes, str]], /) -> None:
        """Adds (key, patient id) pairs; a key that is known keeps its Patient."""
        persons.add_keys(self._session, pairs)

    def identity_statements(self, patient_id: str, /) -> list[persons.PersonRow]:
        """Every statement behind a Patient."""
        return self.statements_of_persons([patient_id])[patient_id]

    def statements_of_persons(
        self, patient_ids: Iterable[str], /
    ) -> dict[str, list[persons.PersonRow]]:
        """The same for many."""
        return persons.statements_of(self._session, patient_ids)

    def put_identity_statement(self, row: persons.PersonRow, /) -> None:
        """Adds or replaces the statement of (feed, key); it may move from another Patient."""
        persons.put_statements(self._session, [row])

    def put_identity_statements(self, rows: Iterable[persons.PersonRow], /) -> None:
        """The same for many."""
        persons.put_statements(self._session, rows)

    def touch_identity_statements(self, times: Mapping[tuple[str, str], int], /) -> None:
        """Statements (feed, key) of persons that were made again, word for word, and when."""
        persons.touch(self._session, times)

    def drop_identity_statement(self, feed: str, key: str, /) -> None:
        """Takes the statement of (feed, key) away, when there is one."""
        persons.drop_statement(self._session, feed, key)

    def statements(self, keys: Iterable[int], /) -> dict[int, list[StatementRow]]:
        """What each source said of the resources with these keys (`resource_key`)."""
        return statements.statements(self._session, keys)

    def put_statements(self, rows: Iterable[StatementRow], /) -> None:
        """Adds or replaces statements."""
        statements.put_statements(self._session, rows)

    def touch_statements(self, times: Mapping[tuple[int, str], int], /) -> None:
        """Descriptions (resource, source) that were made again, word for word, and when."""
        statements.touch(self._session, times)

    def parts_of(self, containers: Iterable[int], /) -> list[StatementRow]:
        """The statements that are parts of these containers."""
        return statements.parts_of(self._session, containers)

    def containers(self, keys: Iterable[int], /) -> dict[int, ContainerRow]:
        """The newest version of each container that came before."""
        return statements.containers(self._session, keys)

    def containers_within(self, parent: int, before: int, /) -> list[ContainerRow]:
        """The containers within another whose newest message is older than `before`."""
        return statements.containers_within(self._session, parent, before)

    def put_containers(self, rows: Iterable[ContainerRow], /) -> None:
        """Adds or replaces containers."""
        statements.put_containers(self._session, rows)

    def awaiting(self, targets: Iterable[int], /) -> list[tuple[int, int]]:
        """(target, referrer) keys of the resources that refer to what had not come yet."""
        return statements.awaiting(self._session, targets)

    def put_awaited(self, pairs: Iterable[tuple[int, int]], /) -> None:
        """Adds (target, referrer) pairs that are not there yet."""
        statements.put_awaited(self._session, pairs)

    def drop_awaited(self, targets: Iterable[int], /) -> None:
        """The targets have come."""
        statements.drop_awaited(self._session, targets)

    def referring(self, resource_type: str, id_: str, limit: int) -> list[Stored]:
        """At most `limit` current resources that refer to ``resource_type/id_``, oldest first.

        Sees this transaction's own writes.
        """
        self._writer.flush()
        return self._referrers.find(self._session, resource_type, id_, limit)

    def hold(self, row: ReviewRow, /) -> None:
        """Puts a contradiction on the list, unless it is open there already."""
        add_review(self._session, row)

    def add_emergency(self, emergency: Emergency, /) -> int:
        """Keeps an opening of a record in an emergency; its number."""
        return emergencies.add_emergency(self._session, emergency)

    def close_emergency(self, number: int, at: int, by: str, note: str, /) -> bool:
        """Takes one off the review list; whether it was open."""
        return emergencies.close_emergency(self._session, number, at, by, note)

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
        self.log_links([(patient_id, feed, key, rule, detail)])

    def log_links(self, links: Iterable[tuple[str, str, str, str, str]], /) -> None:
        """Adds decisions (Patient, feed, key, rule, detail) in their order."""
        at = milliseconds(clock.now())
        self._session.many(
            "INSERT INTO link_log (at, patient_id, feed, key, rule, detail) VALUES (?,?,?,?,?,?)",
            [(at, *link) for link in links],
        )

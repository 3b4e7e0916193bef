"""The chain over AuditEvents: what was written of an access can be changed, but not unseen.

Each link's digest is SHA-256 over the digest before it, the event's id and its stored bytes.  Links
are added by one process after the other (`add_missing` takes a lock); events that are older than the
time for which they are kept leave together with their links, and the last of these stays as the
anchor of the next.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from fhir_bridge.database import Session, Storage, unpacked
from fhir_bridge.fhir import parse_json
from fhir_bridge.search import Indexer
from fhir_bridge.search.hashing import resource_key
from fhir_bridge.store.write.collect import delete_index_rows

__all__ = ["AuditLink", "AuditLinks"]

_LOCK = resource_key("", "audit chain")
_LATE_MS = 150_000
"""How much later than others an event may become visible, when many write at once."""


@dataclass(frozen=True, slots=True)
class AuditLink:
    """A link as it is kept, and what its digest must be (b"": its event is gone).

    `at` is in milliseconds since 1970; `is_anchor`: stands for events that were not to be kept.
    """

    number: int
    at: int
    event_id: str
    digest: bytes
    expected: bytes
    is_anchor: bool = False


class AuditLinks:
    """The chain of one store; `type_number` is that of AuditEvent."""

    def __init__(self, storage: Storage, indexer: Indexer, type_number: int) -> None:
        self._storage = storage
        self._indexer = indexer
        self._type = type_number

    def add_missing(self, limit: int = 1_000, *, of_any_age: bool = False) -> int:
        """Links at most `limit` events that have no link yet, in their order; how many.

        Looks at those of the last minutes only, unless `of_any_age`.
        """
        with self._storage.writing() as session:
            session.lock_keys([_LOCK])
            last = session.one("SELECT number, digest FROM audit_link ORDER BY number DESC LIMIT 1")
            number, digest = (int(last[0]), bytes(last[1])) if last else (0, b"")
            rows = self._unlinked(session, 0 if of_any_age else self._since(session), limit)
            links = []
            for row_id, at, id_, how, body in rows:
                number += 1
                digest = _digest(digest, id_, unpacked(how, body))
                links.append((number, at, row_id, digest))
            session.many(
                "INSERT INTO audit_link (number, at, row_id, digest) VALUES (?,?,?,?)", links
            )
        return len(links)

    def check(self) -> Iterator[AuditLink]:
        """Every link, oldest first, with what its digest must be by the record as it is."""
        digest = b""
        with self._storage.reading(snapshot=True) as session:
            rows = session.stream(
                "SELECT l.number, l.at, l.row_id, l.digest, r.id, r.compressed, r.body"
                " FROM audit_link l LEFT JOIN resource r ON r.row_id = l.row_id AND r.type = ?"
                " ORDER BY l.number",
                (self._type,),
            )
            for number, at, row_id, kept, id_, how, body in rows:
                is_anchor = row_id < 0
                expected = b""
                if is_anchor:
                    expected = bytes(kept)
                elif id_ is not None:
                    expected = _digest(digest, id_, unpacked(how, body))
                digest = bytes(kept)
                yield AuditLink(number, at, id_ or "", digest, expected, is_anchor)

    def unlinked(self, limit: int = 1_000) -> list[str]:
        """The ids of events without a link, of whatever age."""
        with self._storage.reading() as session:
            return [str(row[2]) for row in self._unlinked(session, 0, limit)]

    def drop(self, before: int, limit: int = 500) -> int:
        """Drops at most `limit` linked events of before a moment in milliseconds; how many."""
        with self._storage.writing() as session:
            session.lock_keys([_LOCK])
            rows = session.all(
                "SELECT l.number, l.row_id, r.sort_date, r.compressed, r.body FROM audit_link l"
                " JOIN resource r ON r.row_id = l.row_id WHERE l.at < ? AND l.row_id > 0"
                " ORDER BY l.number LIMIT ?",
                (before, limit),
            )
            for _, row_id, sort_date, how, body in rows:
                text = unpacked(how, body)
                if text:
                    delete_index_rows(
                        session, row_id, sort_date, self._indexer.rows(parse_json(text))
                    )
                for table in ("reference", "superseded", "resource"):
                    session.run(f"DELETE FROM {table} WHERE row_id = ?", (row_id,))  # noqa: S608 - fixed names
            if rows:
                newest = max(int(row[0]) for row in rows)
                session.run("DELETE FROM audit_link WHERE number < ?", (newest,))
                session.run("UPDATE audit_link SET row_id = ? WHERE number = ?", (-newest, newest))
        return len(rows)

    def _since(self, session: Session) -> int:
        newest = session.one("SELECT max(at) FROM audit_link")
        return int(newest[0]) - _LATE_MS if newest and newest[0] is not None else 0

    def _unlinked(
        self, session: Session, since: int, limit: int
    ) -> list[tuple[int, int, str, int, bytes]]:
        rows = session.all(
            "SELECT r.row_id, r.last_updated, r.id, r.compressed, r.body FROM resource r"
            " WHERE r.type = ? AND r.last_updated >= ? AND NOT EXISTS"
            " (SELECT 1 FROM audit_link l WHERE l.row_id = r.row_id) ORDER BY r.row_id LIMIT ?",
            (self._type, since, limit),
        )
        return [(row[0], row[1], row[2], row[3], row[4]) for row in rows]


def _digest(before: bytes, id_: str, body: bytes) -> bytes:
    return hashlib.sha256(b"\x00".join([before, id_.encode(), body])).digest()

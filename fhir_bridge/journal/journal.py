"""The journal: every inbound message, kept before it is acknowledged.

An append is durable when it returns, and many messages share one commit.  A repeat of
(feed, control id, digest) is answered from the record.  Processing is at least once with an
effect that repeats harmlessly: `done` is written in the transaction of the resources.
"""
# ruff: noqa: S608 (SQL is put together from fixed text; every value is a parameter)

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, takewhile
from typing import Any, Literal

from fhir_bridge import clock
from fhir_bridge.database import Session, Storage, instant_of, milliseconds, milliseconds_of
from fhir_bridge.errors import BridgeError
from fhir_bridge.journal.message import Message

__all__ = [
    "STATUSES",
    "Appended",
    "FeedCounts",
    "Journal",
    "JournalMessage",
    "append",
    "mark",
    "reopen",
    "still_pending",
]

Status = Literal["pending", "done", "quarantined", "ignored"]
STATUSES: tuple[Status, ...] = ("pending", "done", "quarantined", "ignored")


@dataclass(frozen=True, slots=True)
class Appended:
    """Where an entry is kept, and whether it was kept already."""

    message_id: int
    repeated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalMessage(Message):
    """A message as kept: its number, how far it is, and what became of it in words."""

    message_id: int
    status: Status
    detail: str


@dataclass(frozen=True, slots=True)
class FeedCounts:
    """How many messages of a feed are in which status, and when the last one came."""

    feed: str
    received: int
    pending: int
    done: int
    quarantined: int
    ignored: int
    last_received: str


_COLUMNS = "message_id, status, detail, feed, data, control_id, content_type, source, received"


class Journal:
    """The journal of one store."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def append(self, messages: Sequence[Message]) -> list[Appended]:
        """Keeps `messages` in order, in one commit; durable when it returns."""
        with self._storage.writing() as session:
            return [append(session, message) for message in messages]

    def pending(
        self, limit: int = 1_000, after: int = 0, *, most_bytes: int = 0
    ) -> list[JournalMessage]:
        """The oldest messages that are not done, beyond message `after`.

        Their bytes together are at most `most_bytes` (0: any), unless the first alone has more.
        """
        if most_bytes:
            limit = self._within(limit, after, most_bytes)
        return self._messages("status = 0 AND message_id > ? ORDER BY message_id", (after, limit))

    def get(self, message_id: int) -> JournalMessage:
        """One message.  Raises BridgeError FB-5201."""
        found = self._messages("message_id = ?", (message_id, 1))
        if not found:
            raise BridgeError("FB-5201", message_id=message_id)
        return found[0]

    def feed_of(self, message_id: int) -> str:
        """The feed of a message, of which nothing else is read.  Raises BridgeError FB-5201."""
        with self._storage.reading() as session:
            row = session.one("SELECT feed FROM journal WHERE message_id = ?", (message_id,))
        if row is None:
            raise BridgeError("FB-5201", message_id=message_id)
        return str(row[0])

    def has_pending(self) -> bool:
        """Whether any message waits to be worked on; reads none of them."""
        with self._storage.reading() as session:
            return session.one("SELECT 1 FROM journal WHERE status = 0 LIMIT 1") is not None

    def is_pending(self, message_id: int) -> bool:
        """Whether a message waits to be worked on."""
        with self._storage.reading() as session:
            return bool(still_pending(session, [message_id]))

    def latest(
        self, feed: str = "", *, status: Status | None = None, limit: int = 50, before: int = 0
    ) -> list[JournalMessage]:
        """The newest messages, of one feed and status where given, below message `before`."""
        tests, parameters = ["1=1"], list[Any]()
        for test, value in (
            ("feed = ?", feed),
            ("status = ?", None if status is None else STATUSES.index(status)),
            ("message_id < ?", before),
        ):
            if value or (value == 0 and test.startswith("status")):
                tests.append(test)
                parameters.append(value)
        where = f"{' AND '.join(tests)} ORDER BY message_id DESC"
        return self._messages(where, (*parameters, limit))

    def reopen(self, message_id: int) -> None:
        """Makes a message pending again, for a replay."""
        with self._storage.writing() as session:
            mark(session, message_id, "pending", "")

    def counts_by_feed(self) -> list[FeedCounts]:
        """One row for each feed that ever sent, by name."""
        with self._storage.reading() as session:
            rows = session.all(
                "SELECT feed, status, count(*), max(message_id) FROM journal"
                " GROUP BY feed, status ORDER BY feed"
            )
            newest: dict[str, int] = {}
            counts: dict[str, list[int]] = {}
            for feed, status, count, last in rows:
                counts.setdefault(feed, [0] * len(STATUSES))[status] = count
                newest[feed] = max(newest.get(feed, 0), last)
            times = {
                feed: session.one("SELECT received FROM journal WHERE message_id = ?", (last,))
                for feed, last in newest.items()
            }
        return [
            FeedCounts(
                feed,
                sum(each),
                each[0],
                each[1],
                each[2],
                each[3],
                instant_of(row[0]) if (row := times[feed]) else "",
            )
            for feed, each in counts.items()
        ]

    def _within(self, limit: int, after: int, most_bytes: int) -> int:
        """How many of the oldest messages have `most_bytes` together; at least one."""
        with self._storage.reading() as session:
            rows = session.all(
                "SELECT length(data) FROM journal WHERE status = 0 AND message_id > ?"
                " ORDER BY message_id LIMIT ?",
                (after, limit),
            )
        totals = accumulate(size for (size,) in rows)
        return max(1, sum(1 for _ in takewhile(lambda total: total <= most_bytes, totals)))

    def _messages(self, where: str, parameters: Sequence[Any]) -> list[JournalMessage]:
        with self._storage.reading() as session:
            rows = session.all(
                f"SELECT {_COLUMNS} FROM journal WHERE {where} LIMIT ?",
                parameters,
            )
        return [
            JournalMessage(
                row[3], bytes(row[4]), row[5], row[6], row[7], instant_of(row[8]),
                message_id=row[0], status=STATUSES[row[1]], detail=row[2],
            )
            for row in rows
        ]  # fmt: skip


def reopen(session: Session, message_id: int, data: bytes) -> bool:
    """Makes a message with this content pending again; whether there is one."""
    return (
        session.run(
            "UPDATE journal SET status = 0, detail = '' WHERE message_id = ? AND data = ?",
            (message_id, data),
        )
        == 1
    )


def reopen_as_quarantined(session: Session, message_id: int, item_id: int) -> bool:
    """The same for the content of an item of the quarantine, which the database compares.

    A message may have half a gigabyte; nothing of it is read here.
    """
    return (
        session.run(
            "UPDATE journal SET status = 0, detail = '' WHERE message_id = ?"
            " AND length(data) = (SELECT length(data) FROM quarantine WHERE item_id = ?)"
            " AND data = (SELECT data FROM quarantine WHERE item_id = ?)",
            (message_id, item_id, item_id),
        )
        == 1
    )


def still_pending(session: Session, message_ids: Sequence[int]) -> set[int]:
    """Those messages that nobody has finished."""
    where, parameters = session.among("message_id", list(message_ids))
    rows = session.all(f"SELECT message_id FROM journal WHERE status = 0 AND {where}", parameters)
    return {message_id for (message_id,) in rows}


def mark(session: Session, message_id: int, status: Status, detail: str) -> None:
    """Sets the status of a message within a transaction.  Raises BridgeError FB-5201."""
    changed = session.run(
        "UPDATE journal SET status = ?, detail = ?, done = ? WHERE message_id = ?",
        (STATUSES.index(status), detail, milliseconds(clock.now()), message_id),
    )
    if changed != 1:
        raise BridgeError("FB-5201", message_id=message_id)


def append(session: Session, message: Message) -> Appended:
    """Keeps one message within a transaction."""
    digest = message.digest
    row = session.one(
        "INSERT INTO journal (feed, control_id, digest, received, content_type, source, status,"
        " detail, done, data) VALUES (?,?,?,?,?,?,0,'',0,?)"
        " ON CONFLICT (feed, control_id, digest) DO NOTHING RETURNING message_id",
        (
            message.feed,
            message.control_id,
            digest,
            milliseconds_of(message.received),
            message.content_type,
            message.source,
            message.data,
        ),
    )
    if row:
        return Appended(row[0], False)
    known = session.one(
        "SELECT message_id FROM journal WHERE feed = ? AND control_id = ? AND digest = ?",
        (message.feed, message.control_id, digest),
    )
    if known is None:  # another writer's repeat is not committed yet
        raise BridgeError("FB-5003")
    return Appended(known[0], True)

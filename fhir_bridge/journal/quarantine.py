"""The quarantine: what could not be taken in, with its raw bytes and coded reasons.

An item is tried again by giving it back to the journal (`release`): there it takes its turn
among what is pending, and nobody can lose it on the way.
"""
# ruff: noqa: S608 (SQL is put together from fixed text; every value is a parameter)

from __future__ import annotations

import builtins
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fhir_bridge.database import Row, Session, Storage, instant_of, milliseconds_of
from fhir_bridge.errors import BridgeError, Issue
from fhir_bridge.journal import journal
from fhir_bridge.journal.message import Message, Refusal

__all__ = ["Quarantine", "Quarantined", "add"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined(Message):
    """One item at rest; `added` and `last_seen` are FHIR instants.

    `count` is how many equal refusals it stands for, itself included; `last_seen` when the last
    of them came ("" for one alone).  `size` are its bytes; `data` is empty where more were asked
    for than wanted.
    """

    item_id: int
    message_id: int | None
    issues: tuple[Issue, ...]
    added: str
    count: int = 1
    last_seen: str = ""
    size: int = 0


_HEAD = "item_id, message_id, feed, issues, received, added, control_id, content_type, source"
_TAIL = "count, last_seen, length(data)"
_COLUMNS = f"{_HEAD}, data, {_TAIL}"
_BOUNDED = f"{_HEAD}, CASE WHEN length(data) <= ? THEN data END, {_TAIL}"


class Quarantine:
    """The quarantine of one store."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def add(self, refusal: Refusal) -> int:
        """Keeps one item; its number."""
        with self._storage.writing() as session:
            return add(session, refusal)

    def add_all(self, refusals: Sequence[Refusal]) -> builtins.list[int]:
        """Keeps several items in one commit; their numbers in order."""
        with self._storage.writing() as session:
            return [add(session, refusal) for refusal in refusals]

    def count_again(self, counts: Mapping[int, int]) -> set[int]:
        """Adds to the counts of items (item -> refusals more), in one commit; those not there."""
        now = milliseconds_of("")
        with self._storage.writing() as session:
            return {
                item_id
                for item_id, count in sorted(counts.items())
                if session.run(
                    "UPDATE quarantine SET count = count + ?, last_seen = ? WHERE item_id = ?",
                    (count, now, item_id),
                )
                != 1
            }

    def set_aside(self, message_id: int, issue: Issue) -> int:
        """Moves a pending journal message here, whole, without reading it; the item's number.

        Raises BridgeError FB-5204 when it is not pending.
        """
        with self._storage.writing() as session:
            if not journal.still_pending(session, [message_id]):
                raise BridgeError("FB-5204", message_id=message_id)
            row = session.one(
                "INSERT INTO quarantine (message_id, feed, code, issues, received, added,"
                " content_type, source, control_id, data) SELECT message_id, feed, ?, ?, received,"
                " ?, content_type, source, control_id, data FROM journal WHERE message_id = ?"
                " RETURNING item_id",
                (issue.code, _written([issue]), milliseconds_of(""), message_id),
            )
            journal.mark(session, message_id, "quarantined", issue.code)
            return int(row[0]) if row else 0

    def list(
        self,
        feed: str = "",
        *,
        code: str = "",
        limit: int = 50,
        before: int = 0,
        most_bytes: int | None = None,
    ) -> list[Quarantined]:
        """The newest items, of one feed and leading code where given, below item `before`.

        With `most_bytes` larger data are left out and not read.
        """
        tests, parameters = ["1=1"], list[Any]()
        for test, value in (("feed = ?", feed), ("code = ?", code), ("item_id < ?", before)):
            if value:
                tests.append(test)
                parameters.append(value)
        where = f"{' AND '.join(tests)} ORDER BY item_id DESC"
        return self._items(where, (*parameters, limit), most_bytes)

    def get(self, item_id: int, *, most_bytes: int | None = None) -> Quarantined:
        """One item, `most_bytes` as in `list`.  Raises BridgeError FB-5202."""
        found = self._items("item_id = ?", (item_id, 1), most_bytes)
        if not found:
            raise BridgeError("FB-5202", item_id=item_id)
        return found[0]

    def of_message(
        self, message_id: int, *, most_bytes: int | None = None
    ) -> builtins.list[Quarantined]:
        """What of one journal message is at rest, `most_bytes` as in `list`."""
        return self._items("message_id = ? ORDER BY item_id", (message_id, 1_000), most_bytes)

    def remove(self, item_id: int) -> None:
        """Takes an item out (replayed, or given up).  Raises BridgeError FB-5202."""
        with self._storage.writing() as session:
            if session.run("DELETE FROM quarantine WHERE item_id = ?", (item_id,)) != 1:
                raise BridgeError("FB-5202", item_id=item_id)

    def release(self, item_id: int) -> int:
        """Gives an item back to the journal, to be worked on in its turn; the message's number.

        A message that rested whole is pending again in its old place; a part of one (a row)
        becomes a message of its own.  Raises BridgeError FB-5202.
        """
        with self._storage.writing() as session:
            found = session.one("SELECT message_id FROM quarantine WHERE item_id = ?", (item_id,))
            if found is None:
                raise BridgeError("FB-5202", item_id=item_id)
            whole = found[0] and journal.reopen_as_quarantined(session, found[0], item_id)
            columns = "message_id" if whole else _COLUMNS
            taken = session.one(
                f"DELETE FROM quarantine WHERE item_id = ? RETURNING {columns}", (item_id,)
            )
            if taken is None:  # somebody else has just given it back
                raise BridgeError("FB-5202", item_id=item_id)
            return int(taken[0]) if whole else _release(session, _item(taken))

    def counts_by_feed(self) -> dict[str, dict[str, int]]:
        """Feed -> leading code -> what was refused, equal refusals each counted."""
        with self._storage.reading() as session:
            rows = session.all(
                "SELECT feed, code, CAST(sum(count) AS BIGINT) FROM quarantine GROUP BY feed, code"
            )
        found: dict[str, dict[str, int]] = {}
        for feed, code, count in rows:
            found.setdefault(feed, {})[code] = count
        return found

    def _items(
        self, where: str, parameters: Sequence[Any], most_bytes: int | None
    ) -> builtins.list[Quarantined]:
        columns, bound = (_COLUMNS, []) if most_bytes is None else (_BOUNDED, [most_bytes])
        with self._storage.reading() as session:
            rows = session.all(
                f"SELECT {columns} FROM quarantine WHERE {where} LIMIT ?", (*bound, *parameters)
            )
        return [_item(row) for row in rows]


def add(session: Session, refusal: Refusal) -> int:
    """Keeps one item within a transaction; its number."""
    message, issues = refusal.message, refusal.issues
    row = session.one(
        "INSERT INTO quarantine (message_id, feed, code, issues, received, added, content_type,"
        " source, control_id, data) VALUES (?,?,?,?,?,?,?,?,?,?) RETURNING item_id",
        (
            refusal.message_id, message.feed, issues[0].code if issues else "",
            _written(issues), milliseconds_of(message.received), milliseconds_of(""),
            message.content_type, message.source, message.control_id, message.data,
        ),
    )  # fmt: skip
    return int(row[0]) if row else 0


def _item(row: Row) -> Quarantined:
    return Quarantined(
        row[2], bytes(row[9] or b""), row[6], row[7], row[8], instant_of(row[4]),
        item_id=row[0], message_id=row[1], issues=_issues(row[3]), added=instant_of(row[5]),
        count=row[10], last_seen=instant_of(row[11]) if row[11] else "", size=row[12],
    )  # fmt: skip


def _release(session: Session, item: Quarantined) -> int:
    appended = journal.append(session, item)
    if appended.repeated:
        journal.reopen(session, appended.message_id, item.data)
    if item.message_id and not session.one(
        "SELECT 1 FROM quarantine WHERE message_id = ? LIMIT 1", (item.message_id,)
    ):
        journal.mark(session, item.message_id, "done", "replayed")
    return appended.message_id


def _written(issues: Sequence[Issue]) -> str:
    listed = [[i.code, i.severity, i.where, dict(i.details)] for i in issues]
    return json.dumps(listed, ensure_ascii=False)


def _issues(written: str) -> tuple[Issue, ...]:
    return tuple(
        Issue(code, severity, where, details)
        for code, severity, where, details in json.loads(written)
    )

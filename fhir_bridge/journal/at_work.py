"""Which journal messages are being worked on, by whom, and how often work on them was ended.

One row for each process that works (`holder`), written before the work begins: messages with
the number of beginnings, this one included, and whether this is what is begun now (others wait
to be tried alone).  What is begun is worked on while it is pending in the journal; the row of a
process that is gone tells what it was working on when it ended.  They are no part of a backup.
"""
# ruff: noqa: S608 (SQL is put together from fixed text; every value is a parameter)

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from fhir_bridge.database import Storage, instant_of, milliseconds_of

__all__ = ["AtWork", "Begun"]


@dataclass(frozen=True, slots=True)
class Begun:
    """A message that `holder` has begun; `since` and `received` are FHIR instants.

    `times` is how often work on it was begun; `size` are its bytes.
    """

    holder: str
    since: str
    message_id: int
    times: int
    feed: str
    source: str
    received: str
    size: int


class AtWork:
    """What is being worked on in one store."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def begin(
        self,
        holder: str,
        begun: Mapping[int, int],
        *,
        later: Mapping[int, int] | None = None,
        instead_of: Collection[str] = (),
    ) -> None:
        """Says durably what `holder` works on now, and takes over the rows `instead_of`.

        `begun` and `later` are messages with their beginnings; those of `later` still wait.
        """
        waiting = {key: times for key, times in (later or {}).items() if key not in begun}
        entries = sorted(
            [*((key, times, 1) for key, times in begun.items()),
             *((key, times, 0) for key, times in waiting.items())]
        )  # fmt: skip
        with self._storage.writing() as session:
            session.run(
                "INSERT INTO at_work (holder, since, entries) VALUES (?,?,?) ON CONFLICT (holder)"
                " DO UPDATE SET since = excluded.since, entries = excluded.entries",
                (holder, milliseconds_of(""), json.dumps(entries)),
            )
            for gone in instead_of:
                session.run("DELETE FROM at_work WHERE holder = ?", (gone,))

    def end(self, holder: str) -> None:
        """`holder` works on nothing."""
        with self._storage.writing() as session:
            session.run("DELETE FROM at_work WHERE holder = ?", (holder,))

    def holders(self) -> dict[str, dict[int, int]]:
        """Holder -> message -> beginnings, also of messages that are done by now."""
        with self._storage.reading() as session:
            rows = session.all("SELECT holder, entries FROM at_work ORDER BY since")
        return {
            holder: {message_id: times for message_id, times, _ in json.loads(entries)}
            for holder, entries in rows
        }

    def is_skipped(self, holder: str, seconds: float) -> bool:
        """Whether what a holder with this in its name works on, for so long, was set aside."""
        with self._storage.reading() as session:
            rows = session.all(
                f"SELECT entries FROM at_work WHERE {session.contains('holder')} AND since < ?",
                (holder, milliseconds_of("") - round(seconds * 1000)),
            )
            begun = [
                message_id
                for (entries,) in rows
                for message_id, _, now in json.loads(entries)
                if now
            ]
            if not begun:
                return False
            where, parameters = session.among("message_id", begun)
            skipped = f"SELECT 1 FROM journal WHERE status = 2 AND detail = 'FB-6022' AND {where}"
            return session.one(f"{skipped} LIMIT 1", parameters) is not None

    def messages(self) -> list[Begun]:
        """What is begun and not done, in the order of the journal."""
        with self._storage.reading() as session:
            rows = session.all("SELECT holder, since, entries FROM at_work ORDER BY since")
            found = {
                message_id: (holder, since, times)
                for holder, since, entries in rows
                for message_id, times, now in json.loads(entries)
                if now
            }
            if not found:
                return []
            where, parameters = session.among("message_id", sorted(found))
            waiting = session.all(
                "SELECT message_id, feed, source, received, length(data) FROM journal"
                f" WHERE status = 0 AND {where} ORDER BY message_id",
                parameters,
            )
        return [
            Begun(
                found[row[0]][0], instant_of(found[row[0]][1]), row[0], found[row[0]][2],
                row[1], row[2], instant_of(row[3]), row[4],
            )
            for row in waiting
        ]  # fmt: skip

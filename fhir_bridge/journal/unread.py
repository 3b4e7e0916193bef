"""What no map reads, counted: one row for each place of a feed's messages and each map.

Counts are of the map as it stands: rows that another text of the map left behind are dropped
when the new one meets its first message.  They are no part of a backup.
"""
# ruff: noqa: S608 (SQL is put together from fixed text; every value is a parameter)

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from fhir_bridge.database import Session, Storage, instant_of, milliseconds_of

__all__ = ["UnreadCounts", "UnreadPlace", "UnreadTally", "count"]


@dataclass(frozen=True, slots=True)
class UnreadTally:
    """What is added to the count of a place; `first` and `last` are FHIR instants.

    `digest` names the text of the map; `example` shows the shape of a value, never the value.
    """

    feed: str
    map: str
    place: str
    looked: bool
    digest: str
    count: int
    first: str
    last: str
    example: str


@dataclass(frozen=True, slots=True)
class UnreadPlace:
    """A place that no rule of `map` takes over; `looked`: it only decides something else."""

    feed: str
    map: str
    place: str
    looked: bool
    digest: str
    count: int
    first_seen: str
    last_seen: str
    example: str


class UnreadCounts:
    """The counts of one store."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def places(self, feed: str = "", *, map: str = "") -> list[UnreadPlace]:  # noqa: A002
        """The places of a feed (default: of all), the most frequent first."""
        tests, parameters = ["1=1"], list[Any]()
        for column, value in (("feed", feed), ("map", map)):
            if value:
                tests.append(f"{column} = ?")
                parameters.append(value)
        with self._storage.reading() as session:
            rows = session.all(
                "SELECT feed, map, place, looked, digest, count, first_seen, last_seen, example"
                f" FROM unread WHERE {' AND '.join(tests)}"
                " ORDER BY feed, looked, count DESC, place, map",
                parameters,
            )
        return [
            UnreadPlace(
                row[0], row[1], row[2], bool(row[3]), row[4], row[5],
                instant_of(row[6]), instant_of(row[7]), row[8],
            )
            for row in rows
        ]  # fmt: skip

    def reset(self, feed: str = "") -> int:
        """Counts anew, for one feed or all; the rows dropped."""
        with self._storage.writing() as session:
            if feed:
                return session.run("DELETE FROM unread WHERE feed = ?", (feed,))
            return session.run("DELETE FROM unread")


def count(session: Session, tallies: Iterable[UnreadTally]) -> None:
    """Adds to the counts within a transaction; counts of other texts of a map are dropped."""
    rows = sorted(
        (each.feed, each.map, each.place, int(each.looked), each.digest, each.count,
            milliseconds_of(each.first), milliseconds_of(each.last), each.example)
        for each in tallies
    )  # fmt: skip
    for feed, map_url, digest in sorted({(row[0], row[1], row[4]) for row in rows}):
        session.run(
            "DELETE FROM unread WHERE feed = ? AND map = ? AND digest <> ?",
            (feed, map_url, digest),
        )
    session.many(
        "INSERT INTO unread (feed, map, place, looked, digest, count, first_seen, last_seen,"
        " example) VALUES (?,?,?,?,?,?,?,?,?) ON CONFLICT (feed, map, place, looked) DO UPDATE"
        " SET count = unread.count + excluded.count, last_seen = excluded.last_seen",
        rows,
    )

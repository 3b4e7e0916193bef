"""Wrong tries wait, longer each time; the counts are in the database, shared by all processes.

A key is whose tries are counted: an account's name (whether it exists or not), an address, an
app.  A try is counted before it is judged, so that tries side by side cannot outrun the count.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from fhir_bridge import clock
from fhir_bridge.database import Session, Storage, milliseconds

__all__ = ["Delays", "Limit"]

_MAX_SECONDS = 900
_FORGOTTEN_MS = 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class Limit:
    """Whose tries are counted, and how many of them are free of delay."""

    key: str
    free: int


class Delays:
    """The counts of one record."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def admit(self, limits: Sequence[Limit]) -> bool:
        """Count a try under each limit; False when one of them has to wait (nothing counts then)."""
        now = milliseconds(clock.now())
        with self._storage.writing() as session:
            session.lock_keys(sorted(_number(each.key) for each in limits))
            counts = [_count(session, each.key, now) for each in limits]
            if any(until > now for _, until in counts):
                return False
            for each, (count, _) in zip(limits, counts, strict=True):
                wait = _seconds(count + 1 - each.free) * 1000
                _keep(session, each.key, count + 1, now, now + wait)
        return True

    def waits(self, limits: Sequence[Limit]) -> bool:
        """Whether one of the limits has to wait; nothing is counted."""
        now = milliseconds(clock.now())
        with self._storage.reading() as session:
            return any(_count(session, each.key, now)[1] > now for each in limits)

    def has_tries(self, limits: Sequence[Limit]) -> bool:
        """Whether something is counted under one of the limits."""
        now = milliseconds(clock.now())
        with self._storage.reading() as session:
            return any(_count(session, each.key, now)[0] for each in limits)

    def clear(self, limits: Sequence[Limit]) -> None:
        """The last try under each limit was right: it never happened.

        What others did wrong from the same address stays counted; under an account's name the
        count ends, since its owner came.
        """
        with self._storage.writing() as session:
            session.lock_keys(sorted(_number(each.key) for each in limits))
            for each in limits:
                if each.key.startswith("address:"):
                    session.run(
                        "UPDATE sign_in_delay SET count = count - 1, until = 0"
                        " WHERE key = ? AND count > 0",
                        (each.key,),
                    )
                else:
                    session.run("DELETE FROM sign_in_delay WHERE key = ?", (each.key,))

    def tidy(self) -> None:
        """Forget tries of long ago."""
        before = milliseconds(clock.now()) - _FORGOTTEN_MS
        with self._storage.writing() as session:
            session.run("DELETE FROM sign_in_delay WHERE last < ?", (before,))


def _count(session: Session, key: str, now: int) -> tuple[int, int]:
    row = session.one("SELECT count, last, until FROM sign_in_delay WHERE key = ?", (key,))
    if row is None or row[1] < now - _FORGOTTEN_MS:
        return 0, 0
    return int(row[0]), int(row[2])


def _keep(session: Session, key: str, count: int, now: int, until: int) -> None:
    session.run(
        "INSERT INTO sign_in_delay (key, count, last, until) VALUES (?,?,?,?)"
        " ON CONFLICT (key) DO UPDATE SET count = excluded.count, last = excluded.last,"
        " until = excluded.until",
        (key, count, now, until),
    )


def _seconds(beyond: int) -> int:
    """How long the next try waits after so many that were not free.

    >>> [_seconds(beyond) for beyond in (0, 1, 2, 5, 40)]
    [0, 1, 2, 16, 900]
    """
    return min(_MAX_SECONDS, 2 ** min(beyond - 1, 20)) if beyond > 0 else 0


def _number(key: str) -> int:
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "big", signed=True)

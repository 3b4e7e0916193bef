"""Whose frames are looked at next, so that no sender holds the others.

Connections take turns.  One gives at most :data:`FRAMES` frames a round, and a round takes at
most :data:`REFUSED` that are refused.  While others send what is taken, refusals get a tenth of
the loop's time: what they cost is waited for nine times before the next of them is looked at.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from fhir_bridge import hl7v2

from .connection import Connection

__all__ = ["FRAMES", "REFUSED", "Turns"]

FRAMES = 256
REFUSED = 8
_WAITED = 9  # times the cost of refusals
_ACTIVE_SECONDS = 1.0  # others count as sending for so long after a frame that was taken


class Turns:
    """The connections with frames that wait; times are monotonic seconds."""

    def __init__(self) -> None:
        self._waiting: deque[Connection] = deque()
        self._refused = 0  # in this round
        self._closed_until = 0.0  # to connections whose last frame was refused
        self._taken = 0.0  # when a frame of another connection was taken last

    def add(self, connection: Connection, events: list[hl7v2.Event]) -> None:
        """`events` wait for the connection's turn."""
        if events and not connection.backlog:
            self._waiting.append(connection)
        connection.backlog.extend(events)

    def pause(self, now: float, most: float) -> float:
        """How long nobody has a turn, `most` seconds at the most."""
        if not self._waiting:
            return most
        if any(not connection.suspect for connection in self._waiting):
            return 0.0
        return min(most, max(0.0, self._closed_until - now))

    def round(self, now: float) -> Iterator[tuple[Connection, hl7v2.Event]]:
        """What is looked at now; say of each whether it was `refused` before the next."""
        self._refused = 0
        for _ in range(len(self._waiting)):
            connection = self._waiting.popleft()
            left = FRAMES
            while connection.backlog and left and self._may(connection, now):
                left -= 1
                yield connection, connection.backlog.popleft()
            if connection.backlog:
                self._waiting.append(connection)

    def all(self) -> Iterator[tuple[Connection, hl7v2.Event]]:
        """Everything that waits, at the end."""
        while self._waiting:
            connection = self._waiting.popleft()
            while connection.backlog:
                yield connection, connection.backlog.popleft()

    def refused(self, connection: Connection) -> None:
        """The frame that was looked at is refused."""
        connection.suspect = True
        self._refused += 1

    def taken(self, connection: Connection, now: float) -> None:
        """The frame that was looked at is taken."""
        if not connection.suspect:
            self._taken = now
        connection.suspect = False

    def spent(self, seconds: float, now: float) -> None:
        """So long was spent on refusals in this round."""
        if now - self._taken < _ACTIVE_SECONDS:
            self._closed_until = now + seconds * _WAITED

    def _may(self, connection: Connection, now: float) -> bool:
        return not connection.suspect or (self._refused < REFUSED and now >= self._closed_until)

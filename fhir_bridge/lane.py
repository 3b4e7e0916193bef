"""The lane for long evaluations: what others leave of half a process, and a tenth at least.

One interpreter answers HTTP, MLLP and pages.  An evaluation that a client sent and that goes
on for some milliseconds rests after each half of one, as long as leaves the whole lane its share:
half of an idle process, a tenth of a busy one.  A few long ones may be in it at once, and the next
is sent away to come again.  What is short (nearly everything) never comes here, and what an
operator has installed does not either.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["Lane", "Turn"]

_SHORT = 0.005
"""Seconds of processor time that the evaluations of one request take without a rest.

It is what the interpreter lets one thread run while others wait: a longer run makes each of
them wait as long at every step of its own.
"""
_LONG = 0.05
"""Seconds of processor time from which they need a place."""
_SLICE = 0.0005
"""Seconds of work between two rests."""
_LEAST_SHARE, _MAX_SHARE = 0.1, 0.5
"""Of a process, the parts that are the lane's while others are busy, and while none is."""
_LOOK = 0.1
"""Seconds between two looks at how busy the others are."""


class Lane:
    """The lane of a process; at most `places` requests are in it at once."""

    def __init__(self, places: int) -> None:
        self._places = threading.BoundedSemaphore(places)
        self._count = 0
        self._lock = threading.Lock()
        self._seen, self._used = time.monotonic(), time.process_time()
        self._worked = 0.0
        self._busy = 0.0

    def enter(self) -> bool:
        """Take a place; False when there is none."""
        if not self._places.acquire(blocking=False):
            return False
        with self._lock:
            self._count += 1
        return True

    def leave(self) -> None:
        """Give the place back."""
        with self._lock:
            self._count -= 1
        self._places.release()

    def rest(self, worked: float) -> None:
        """Sleep after `worked` seconds of work, longer the more are in the lane or about it."""
        share = self._share(worked)
        time.sleep(worked * (max(self._count, 1) / share - 1))

    def _share(self, worked: float) -> float:
        """What the lane may take now, by what the others have taken lately."""
        with self._lock:
            self._worked += worked
            now = time.monotonic()
            if now - self._seen >= _LOOK:
                used = time.process_time()
                others = (used - self._used - self._worked) / (now - self._seen)
                self._busy = (self._busy + others) / 2
                self._seen, self._used, self._worked = now, used, 0.0
            return min(_MAX_SHARE, max(_LEAST_SHARE, _MAX_SHARE - self._busy))


class Turn:
    """What the evaluations of one request have taken of the lane; belongs to one thread."""

    __slots__ = ("_entered", "_lane", "_looked", "_slice", "_urgent", "_used")

    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self._entered = False
        self._urgent = 0
        self._looked = self._used = self._slice = 0.0

    def spend(self, since: float, now: float) -> bool:
        """Count work from `since` to `now` (of `time.thread_time`), and rest when it is time.

        What an evaluation inside this one has counted is not counted again.  False when the
        evaluation has become a long one and the lane has no place for it.
        """
        worked = now - max(since, self._looked)
        self._looked = now
        self._used += worked
        self._slice += worked
        if self._used < _SHORT or self._slice < _SLICE:
            return True
        if self._used > _LONG and not self._entered:
            if not self._lane.enter():
                return False
            self._entered = True
        if not self._urgent:
            self._lane.rest(self._slice)
        self._slice = 0.0
        return True

    @contextmanager
    def urgent(self) -> Iterator[None]:
        """No rest inside: others wait for what is held here."""
        self._urgent += 1
        try:
            yield
        finally:
            self._urgent -= 1

    def end(self) -> None:
        """The request has been answered: its place is free."""
        if self._entered:
            self._entered = False
            self._lane.leave()

"""When something was said, as one number: the event time, then the receipt.

Statements of one source are ordered by the time of their event; of two events of one moment
(many senders write no seconds) the one that came later counts.  So a message that is worked on
again, after a crash or because an operator asks for it, stands where it stood.
"""

from __future__ import annotations

__all__ = ["LAST", "milliseconds", "stamp"]

_BITS = 20
LAST = (1 << _BITS) - 1
"""A receipt after all others of its moment."""
_FIRST_MOMENT, _LAST_MOMENT = -(1 << 42), (1 << 42) - 1
"""1830 and 2109: what says it is further away is as old, or as new, as that."""


def stamp(at: int, receipt: int = 0) -> int:
    """The stamp of an event at `at` (ms since 1970) whose message has the number `receipt`.

    Of the number its last 20 bits count: a million messages lie between two that could be
    mistaken, and they would have to be of the same millisecond.
    """
    return min(_LAST_MOMENT, max(_FIRST_MOMENT, at)) << _BITS | receipt & LAST


def milliseconds(stamp: int) -> int:
    """The event time of a stamp, in ms since 1970."""
    return stamp >> _BITS

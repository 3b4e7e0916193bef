"""Which kinds of events came one after the other in the histories that were played."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise, product

from tests.histories.events import CLASSES, Event

__all__ = ["Coverage"]


class Coverage:
    """Counts of ordered pairs of event classes, one right after the other."""

    def __init__(self) -> None:
        self.pairs: Counter[tuple[str, str]] = Counter()
        self.events = 0
        self.histories = 0

    def add(self, events: Sequence[Event]) -> None:
        """Counts one history."""
        self.histories += 1
        self.events += len(events)
        self.pairs.update((one.klass, other.klass) for one, other in pairwise(events))

    def add_all(self, others: Iterable[Coverage]) -> None:
        """Counts what others counted."""
        for other in others:
            self.pairs.update(other.pairs)
            self.events += other.events
            self.histories += other.histories

    @property
    def rarest(self) -> tuple[tuple[str, str], int]:
        """The ordered pair that occurred least often, and how often."""
        pair = min(product(CLASSES, CLASSES), key=lambda pair: self.pairs[pair])
        return pair, self.pairs[pair]

    def __str__(self) -> str:
        (one, other), count = self.rarest
        return (
            f"{self.histories} histories, {self.events} events; every one of "
            f"{len(CLASSES) ** 2} ordered pairs of classes at least {count} times ({one}, {other})"
        )

"""Replay: what rests in quarantine is tried again, for example after a map was mended.

Nothing is worked on beside the pipeline: an item goes back to the journal, in one
transaction, and is taken in its turn by the one pipeline that works on the record, in
whichever process that is.  What fails again rests in quarantine again, with its new issues.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from fhir_bridge.errors import Issue
from fhir_bridge.store import Store

__all__ = ["Replay", "Replayed"]

_WAIT_SECONDS = 5.0
_LOOK_SECONDS = 0.05


class Wakes(Protocol):
    """What is asked of the pipeline of this process."""

    def wake(self) -> None:
        """Something arrived."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of one item: `waiting` for its turn, else recorded when `issues` is empty."""

    item_id: int
    feed: str
    issues: list[Issue] = field(default_factory=list)
    waiting: bool = False

    @property
    def recorded(self) -> bool:
        """Whether it is in the record now."""
        return not self.issues and not self.waiting


class Replay:
    """Tries quarantined items and whole messages again; `wait` are the longest seconds."""

    def __init__(self, store: Store, pipeline: Wakes, *, wait: float | None = None) -> None:
        self._store = store
        self._pipeline = pipeline
        self._wait = _WAIT_SECONDS if wait is None else wait

    def items(self, item_ids: Iterable[int]) -> list[Replayed]:
        """Try items of the quarantine again, in the order given.  Raises BridgeError FB-5202."""
        given = [(item_id, self._store.quarantine.release(item_id)) for item_id in item_ids]
        return self._outcomes(given)

    def messages(self, message_ids: Iterable[int]) -> list[Replayed]:
        """Try journal messages again: what of them is in quarantine, else the whole message.

        A message that was recorded is simply worked on again (its effect is the same, or
        what a mended map makes of it).  Raises BridgeError FB-5201.
        """
        given: list[tuple[int, int]] = []
        for message_id in message_ids:
            items = self._store.quarantine.of_message(message_id, most_bytes=0)
            if items:
                released = [self._store.quarantine.release(item.item_id) for item in items]
                given += zip([item.item_id for item in items], released, strict=True)
            else:
                self._store.journal.reopen(message_id)
                given.append((0, message_id))
        return self._outcomes(given)

    def _outcomes(self, given: list[tuple[int, int]]) -> list[Replayed]:
        """What became of (item, message) pairs, as far as it is known within the wait."""
        self._pipeline.wake()
        until = time.monotonic() + self._wait
        return [self._outcome(item_id, message_id, until) for item_id, message_id in given]

    def _outcome(self, item_id: int, message_id: int, until: float) -> Replayed:
        journal = self._store.journal
        feed = journal.feed_of(message_id)
        while journal.is_pending(message_id):
            if time.monotonic() > until:
                return Replayed(item_id, feed, waiting=True)
            time.sleep(_LOOK_SECONDS)
        resting = self._store.quarantine.of_message(message_id, most_bytes=0)
        return Replayed(item_id, feed, [issue for one in resting for issue in one.issues])

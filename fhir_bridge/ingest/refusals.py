"""What is refused at the door, kept with its reasons; equal refusals are counted.

A sender that is set up wrongly sends the same fault thousands of times.  Refusals of one
feed with one code from one peer are a group: the first :data:`EXAMPLES` different ones rest
with their bytes, each an item that can be replayed; the rest, and repeats of the same bytes,
are counted on the first item.  A group ends after :data:`WINDOW_SECONDS`.  New examples of
one call share a commit; counts are written at most once a second, so that a refused message
costs no more than one that is taken.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from fhir_bridge import log
from fhir_bridge.journal import Refusal
from fhir_bridge.store import Store

from .memory import short_digest

__all__ = ["EXAMPLES", "WINDOW_SECONDS", "Refusals"]

EXAMPLES = 10
WINDOW_SECONDS = 600.0
_COUNT_SECONDS = 1.0
_MAX_GROUPS = 10_000


@dataclass(slots=True)
class _Group:
    """Equal refusals: since when (monotonic), the item they are counted on, what is known."""

    feed: str
    code: str
    since: float
    item_id: int = 0
    digests: set[bytes] = field(default_factory=set)
    again: int = 0  # refusals that are counted and not yet written


class Refusals:
    """The refusals of one process."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._groups: dict[tuple[str, str, str], _Group] = {}  # oldest first
        self._ended: list[_Group] = []  # their counts are still to be written
        self._written = 0.0
        self._lock = threading.Lock()

    def keep(self, refusals: Sequence[Refusal]) -> None:
        """Keep `refusals`: new examples are durable when it returns."""
        with self._lock:
            fresh: list[tuple[_Group, bytes, Refusal]] = []
            now = time.monotonic()
            for refusal in refusals:
                group, digest = self._group(refusal, now), short_digest(refusal.message.data)
                if digest in group.digests or len(group.digests) >= EXAMPLES:
                    group.again += 1
                else:
                    group.digests.add(digest)
                    fresh.append((group, digest, refusal))
            if fresh:
                self._add(fresh)
            self._write_counts(now)

    def write_counts(self, *, now: bool = False) -> None:
        """Write the counts that are due (with `now`: all)."""
        with self._lock:
            self._write_counts(time.monotonic() + (_COUNT_SECONDS if now else 0))

    def _group(self, refusal: Refusal, now: float) -> _Group:
        """The group of a refusal, a new one where there is none or it is too old."""
        code = refusal.issues[0].code if refusal.issues else ""
        key = refusal.message.feed, code, refusal.peer or refusal.message.source
        group = self._groups.get(key)
        if group is not None and now - group.since < WINDOW_SECONDS:
            return group
        if group is not None:
            self._ended.append(self._groups.pop(key))
        elif len(self._groups) >= _MAX_GROUPS:
            self._ended.append(self._groups.pop(next(iter(self._groups))))
        self._groups[key] = group = _Group(refusal.message.feed, code, now)
        return group

    def _add(self, fresh: list[tuple[_Group, bytes, Refusal]]) -> None:
        """One commit for all new examples; what fails is as if it had never come."""
        refused = [refusal for _, _, refusal in fresh]
        try:
            item_ids = self._store.quarantine.add_all(refused)
        except Exception:
            for group, digest, _ in fresh:
                group.digests.discard(digest)
            raise
        for item_id, (group, _, _) in zip(item_ids, fresh, strict=True):
            group.item_id = group.item_id or item_id
            log.event("refused", feed=group.feed, code=group.code)

    def _write_counts(self, now: float) -> None:
        if now - self._written < _COUNT_SECONDS:
            return
        self._written = now
        due = [
            group
            for group in (*self._groups.values(), *self._ended)
            if group.again and group.item_id
        ]
        if not due:
            return
        gone = self._store.quarantine.count_again({group.item_id: group.again for group in due})
        for group in due:
            log.event("refused", feed=group.feed, code=group.code, count=group.again)
            group.again = 0
        self._ended.clear()
        for key, group in list(self._groups.items()):
            if group.item_id in gone:  # replayed or removed: the next one is an example again
                del self._groups[key]

"""How long the past is kept for page links: as long as somebody goes on from page to page.

A link holds for `keep` milliseconds after it was handed out.  The index rows of replaced
versions stay twice as long, so that most readers need no more.  Who reads on for longer
leaves a mark in the record (the moment of the first page, and until when it is wanted): what
was replaced since then is not cleared.  One mark stands for all readers, at its oldest; it is
written once in `keep` at most, and read by whoever clears once in a quarter of that.
"""

from __future__ import annotations

import threading
from typing import NamedTuple

import msgspec

from fhir_bridge.database import StoredSettings
from fhir_bridge.errors import BridgeError
from fhir_bridge.store.read.cursors import Cursor

__all__ = ["Retention"]

_NAME = "page links"
_MAX_AGE = 24 * 3600 * 1000
"""Milliseconds after the first page: a reader that never ends must not keep the past for ever."""


class _Mark(NamedTuple):
    since: int
    until: int


_NONE = _Mark(0, 0)


class Retention:
    """The mark of one record; every moment is in milliseconds since 1970."""

    def __init__(self, settings: StoredSettings, keep: int) -> None:
        self._settings, self._keep = settings, keep
        self._known, self._looked = _NONE, -1
        self._lock = threading.Lock()

    def require(self, cursor: Cursor, now: int, *, longer: bool = True) -> None:
        """Keep the past of `cursor` for another while; without `longer` only look whether it is kept.

        Raises BridgeError FB-4111 when it is gone.
        """
        age = now - cursor.created
        if age <= self._keep:
            return
        mark = self._mark(now, anew=True)
        held = mark.since <= cursor.created and now <= mark.until
        if age > _MAX_AGE or (age > 2 * self._keep and not held):
            raise BridgeError("FB-4111")
        if longer and (not held or mark.until < now + self._keep):
            since = min(cursor.created, mark.since) if now <= mark.until else cursor.created
            self._write(_Mark(since, now + 2 * self._keep), now)

    def oldest(self, now: int) -> int:
        """What was replaced before this moment no link can need."""
        natural = now - 2 * self._keep
        mark = self._mark(now)
        return min(natural, mark.since) if now <= mark.until else natural

    def _mark(self, now: int, *, anew: bool = False) -> _Mark:
        with self._lock:
            if anew or self._looked < 0 or not 0 <= now - self._looked <= self._keep // 4:
                kept = self._settings.read(_NAME)
                self._known = _Mark(*msgspec.msgpack.decode(kept)) if kept else _NONE
                self._looked = now
            return self._known

    def _write(self, mark: _Mark, now: int) -> None:
        with self._lock:
            self._settings.write(_NAME, msgspec.msgpack.encode(tuple(mark)))
            self._known, self._looked = mark, now

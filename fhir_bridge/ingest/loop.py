"""The thread of the pipeline: woken by what arrives, it works in batches until it is to end.

After a wake it waits a little, so that what comes together shares a commit: look-ups, drafts
and the commit of a batch cost as much as half a message (docs/decisions/adr-2611-journal.md).
While full batches are pending it never waits.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress

from fhir_bridge import log

__all__ = ["Loop"]

_WAIT_SECONDS = 1.0  # how long the thread sleeps when nobody wakes it
_GATHER_SECONDS = 0.03  # after a wake that follows a quiet second
_STREAM_SECONDS = 0.2  # after a wake while messages keep coming
_RETRY_SECONDS = 5.0  # after the database failed


class Loop(ABC):
    """Calls :meth:`drain` whenever something is to be done: in a thread, or where `run` is called."""

    def __init__(self) -> None:
        self.failing = False
        """Whether the last batch could not be written; it is tried again."""
        self._arrived = threading.Event()
        self._wake: Callable[[], None] = self._arrived.set
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self.companions: list[Callable[[threading.Event], None]] = []
        """What runs beside the work, wherever that is, until the event is set."""

    @abstractmethod
    def prepare(self) -> None:
        """Make ready, before any message comes."""

    @abstractmethod
    def drain(self, *, once: bool = False) -> int:
        """Work on what is pending (`once`: one batch); how much was finished."""

    @abstractmethod
    def has_more(self) -> bool:
        """Whether more is surely, or likely, pending than the last batch took."""

    @abstractmethod
    def recover(self) -> None:
        """The last batch took all the memory: what it was is tried alone, and then no more."""

    @abstractmethod
    def close(self) -> None:
        """The work is ended in order."""

    def start(self) -> None:
        """Work in a thread of its own until :meth:`stop`; raises as :meth:`prepare` does."""
        self.prepare()
        self._thread = threading.Thread(target=self.run, name="pipeline", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Finish the batch at hand; what is pending stays in the journal."""
        self._stopping.set()
        self._arrived.set()

    def stop(self, timeout: float = 30) -> None:
        """End, and wait for it."""
        self.end()
        if self._thread is not None:
            self._thread.join(timeout)

    def wake(self) -> None:
        """Something arrived (called by the door of the journal)."""
        self._wake()

    def hand_over(self, wake: Callable[[], None] | None) -> None:
        """The work is done in another process, which `wake` wakes; None: in this one again."""
        self._wake = wake or self._arrived.set

    def run(self, *, dies_of_memory: bool = False) -> None:
        """Work until :meth:`end`; with `dies_of_memory` MemoryError ends it, too."""
        beside = [
            threading.Thread(target=companion, args=(self._stopping,), daemon=True)
            for companion in self.companions
        ]
        for thread in beside:
            thread.start()
        self._work(dies_of_memory=dies_of_memory)
        for thread in beside:
            thread.join()
        with suppress(Exception):  # counts are no reason to hold up the end
            self.close()

    def _work(self, *, dies_of_memory: bool) -> None:
        while not self._stopping.is_set():
            self._arrived.clear()
            try:
                finished = self.drain(once=True)
                self.failing = False
                if self.has_more():
                    continue
            except MemoryError:
                if dies_of_memory:
                    raise
                log.event("pipeline_fault", code="FB-6023", kind="MemoryError")
                self.recover()
                continue
            except Exception as error:  # the database is away: the journal keeps everything
                log.event("pipeline_fault", code="FB-6006", kind=type(error).__name__)
                self.failing = True
                self._stopping.wait(_RETRY_SECONDS)
                continue
            if self._arrived.wait(_WAIT_SECONDS):
                self._stopping.wait(_STREAM_SECONDS if finished else _GATHER_SECONDS)

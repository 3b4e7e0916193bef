"""A pipeline in a process of its own, which may die: it is started again, and nothing is lost.

https://docs.python.org/3/library/os.html#os.fork.  Before the service starts its threads a
*keeper* is forked from it: one thread, no connection, no socket.  It forks the worker, waits
for its end and forks the next, so that definitions, maps and profiles are loaded once and
shared, and a new worker begins within a millisecond.  Listeners, pages and the API of the
service go on meanwhile; what they take waits in the journal.

Both are less urgent to the system than the service: where processors are scarce, who waits for an
acknowledgement or a page comes first, and the journal is worked through with what is left.
A worker that ends young is started again ever later.  The keeper ends with the service, the
worker with either; nobody is left behind.
"""

from __future__ import annotations

import contextlib
import json
import logging
import mmap
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable

from fhir_bridge import clock, log
from fhir_bridge.store import Store

from .pipeline import Pipeline
from .worker import NO_MEMORY, ignore_signals, work
from .working import ENDS

__all__ = ["PipelineProcess"]

_FIRST_PAUSE, _MAX_PAUSE = 0.2, 30.0
_SETTLED_SECONDS = 60.0  # a worker that lived so long ended for another reason than the last
_LOOK_SECONDS = 0.5
_NICE = 5  # a third of a processor against a service that wants all of it
_LONG_SECONDS = 3.0  # work on a batch that takes longer may have been skipped meanwhile
_PID, _ENDS, _CODE, _FAILING = range(4)
# What is told: the worker, its ends so far, the last exit code, whether it cannot write.


class PipelineProcess:
    """Runs `pipeline` in a process of its own; `memory` are its most MiB (0: any number)."""

    def __init__(self, pipeline: Pipeline, store: Store, *, memory: int = 0) -> None:
        self._pipeline = pipeline
        self._store = store
        self._memory = memory
        self._told = memoryview(mmap.mmap(-1, mmap.PAGESIZE)).cast("q")
        self._wakes = self._life = -1  # writing ends
        self._keeper = 0
        self._stopping = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="pipeline-watch", daemon=True)

    @property
    def pid(self) -> int:
        """The process id of the worker; 0 while there is none."""
        return self._told[_PID]

    def start(self) -> None:
        """Fork.  Call before threads are started and sockets are opened.

        Raises what `Pipeline.prepare` raises for a map that is missing or wrong.
        """
        self._pipeline.prepare()
        with contextlib.suppress(Exception):  # what cannot be written is told when it matters
            self._store.settings.forget(ENDS)
        self._store.release_connections()
        wakes, self._wakes = os.pipe()
        life, self._life = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        self._keeper = os.fork()
        if not self._keeper:
            try:
                _close_all_but(wakes, life)
                _keep(lambda: self._work(wakes, life), life, self._told)
            finally:
                os._exit(0)
        os.close(wakes)
        os.close(life)
        os.set_blocking(self._wakes, False)
        self._pipeline.hand_over(self.wake)
        self._watcher.start()

    def _work(self, wakes: int, life: int) -> int:
        def tell(failing: bool) -> None:
            self._told[_FAILING] = failing

        return work(self._pipeline, wakes, life, memory=self._memory, tell=tell)

    def wake(self) -> None:
        """Something arrived."""
        with contextlib.suppress(OSError):  # full: it is awake; broken: it is being started again
            os.write(self._wakes, b"x")

    def stop(self, timeout: float = 30) -> None:
        """Let the worker finish the batch at hand; what hangs is killed after `timeout` seconds."""
        if not self._keeper or self._stopping.is_set():
            return
        self._stopping.set()
        self._watcher.join()
        os.close(self._life)
        until = time.monotonic() + timeout
        while not self._is_gone():
            if time.monotonic() > until:
                log.event("worker_killed", level=logging.ERROR, pid=self.pid)
                self._kill_worker()
                os.kill(self._keeper, signal.SIGKILL)
                until += timeout
            time.sleep(0.01)
        self._pipeline.stop(timeout)  # where it had to go on here
        os.close(self._wakes)

    def _watch(self) -> None:
        """Tell of ends, end work that was skipped, and go on here should the keeper be gone."""
        seen = 0
        while not self._stopping.wait(_LOOK_SECONDS):
            with contextlib.suppress(Exception):  # the database is away: later
                if self._told[_ENDS] != seen:
                    self._tell(self._told[_ENDS])
                    seen = self._told[_ENDS]
                if self._told[_FAILING]:
                    self._store.storage.suspect()
                if self._store.at_work.is_skipped(f" {self.pid} ", _LONG_SECONDS):
                    log.event("worker_skips", pid=self.pid)
                    self._kill_worker()
            if self._is_gone():
                log.event("keeper_ended", level=logging.ERROR, code="FB-6023")
                self._pipeline.hand_over(None)
                self._pipeline.start()
                return

    def _tell(self, ends: int) -> None:
        """Where every process of the service reads it for health and pages."""
        told = {"count": ends, "reason": _reason(self._told[_CODE]), "at": clock.instant()}
        self._store.settings.write(ENDS, json.dumps(told).encode())

    def _kill_worker(self) -> None:
        if self.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def _is_gone(self) -> bool:
        """Whether the keeper has ended."""
        if self._keeper > 0:
            with contextlib.suppress(ChildProcessError):
                if os.waitpid(self._keeper, os.WNOHANG)[0] == 0:
                    return False
            self._keeper = -1
        return True


def _keep(work: Callable[[], int], life: int, told: memoryview) -> None:
    """The life of the keeper: one worker after the other, until one ends in order."""
    ignore_signals()
    os.nice(_NICE)
    quick = 0
    while True:
        began = time.monotonic()
        pid = os.fork()
        if not pid:
            code = 1
            try:
                code = work()
            finally:
                os._exit(code)
        told[_PID] = pid
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        told[_PID] = 0
        if code == 0:
            return
        quick = quick + 1 if time.monotonic() - began < _SETTLED_SECONDS else 1
        pause = min(_FIRST_PAUSE * 2 ** (quick - 1), _MAX_PAUSE)
        told[_CODE] = code
        told[_ENDS] += 1
        log.event(
            "pipeline_ended",
            level=logging.ERROR,
            pid=pid,
            code="FB-6023",
            kind=_reason(code),
            count=told[_ENDS],
            duration_ms=round(pause * 1000),
        )
        if select.select([life], [], [], pause)[0]:
            return


def _reason(code: int) -> str:
    """An exit code in words."""
    if code == NO_MEMORY:
        return "out of memory"
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"


def _close_all_but(*kept: int) -> None:
    """Sockets and files of the service must not live on here when it ends."""
    start = 3
    for each in sorted(kept):
        os.closerange(start, each)
        start = each + 1
    os.closerange(start, max(start, os.sysconf("SC_OPEN_MAX")))

"""Several processes that answer on one listening socket.

https://docs.python.org/3/library/multiprocessing.html#the-spawn-start-method; why:
docs/decisions/adr-2611-serving.md

The process that binds the socket starts the others afresh (a database connection must not
live through a fork) and hands each the same listener: whichever is idle accepts.  The kernel
keeps a connection that nobody has accepted yet, so a worker that dies refuses nobody.

Promises: a worker that ends is started again, soon the first time and ever later when it
ends again and again; no worker outlives the process that started it, however that one ended.
"""

from __future__ import annotations

import gc
import logging
import signal
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from multiprocessing.context import SpawnProcess
from multiprocessing.process import BaseProcess
from threading import Event, Thread
from typing import Any, NamedTuple

from fhir_bridge import log
from fhir_bridge.api.board import Board, ReadConditions
from fhir_bridge.api.connections import Limits
from fhir_bridge.api.measures import Measures, shared_measures
from fhir_bridge.api.server import serve

__all__ = ["WorkerApp", "Workers"]

_SETTLED_SECONDS = 60.0
"""A worker that lived so long had no trouble starting: the next pause is short again."""

_FIRST_PAUSE, _MAX_PAUSE = 0.5, 30.0
_LOOK_SECONDS = 0.5
_STARTS = get_context("spawn")


class _Shared(NamedTuple):
    """What a worker shares with the others: its row of counts, the board, the listener."""

    measures: Measures
    board: Board
    listener: socket.socket


class WorkerApp(NamedTuple):
    """What a worker serves: a WSGI application, and what to call when it ends."""

    app: Any
    close: Callable[[], None]


@dataclass(slots=True)
class _Slot:
    """One worker's place.  `due` is when to start it again, `quick` how often it died young."""

    measures: Measures
    process: SpawnProcess | None = None
    started: float = 0.0
    due: float = 0.0
    quick: int = 0


class Workers:
    """`count` processes; each calls ``make(settings, measures, board)`` once and serves its `WorkerApp`.

    `make` is a function of a module and `settings` can be pickled: both travel to processes
    that begin with nothing.
    """

    def __init__(
        self,
        make: Callable[[Any, Measures, Board], WorkerApp],
        settings: Any,
        listener: socket.socket,
        *,
        count: int,
        threads: int,
        told: ReadConditions | None = None,
        limits: Limits | None = None,
    ) -> None:
        self._make, self._settings, self._threads = make, settings, threads
        self._limits = limits or Limits()
        self._listener = listener
        self._board = Board(_STARTS.RawArray)
        self._told = told or dict
        self._slots = [_Slot(measures) for measures in shared_measures(count, _STARTS.RawArray)]
        self._stopping = Event()
        self._watcher = Thread(target=self._watch, name="workers", daemon=True)

    @property
    def pids(self) -> list[int]:
        """The process ids of the workers that run."""
        running = (slot.process for slot in self._slots if slot.process is not None)
        return [each.pid for each in running if each.pid is not None and each.is_alive()]

    def start(self) -> None:
        """Start all; connections wait in the listener until the first is ready."""
        self._board.write(self._told())
        for slot in self._slots:
            self._start(slot)
        self._watcher.start()

    def stop(self, timeout: float = 20.0) -> None:
        """Let running requests end, then end all; what hangs is killed after `timeout` seconds."""
        self._stopping.set()
        if self._watcher.ident is not None:
            self._watcher.join()
        processes = [slot.process for slot in self._slots if slot.process is not None]
        for process in processes:
            process.terminate()
        until = time.monotonic() + timeout
        for process in processes:
            process.join(max(0.0, until - time.monotonic()))
            if process.exitcode is None:
                log.event("worker_killed", level=logging.ERROR, pid=process.pid)
                process.kill()
                process.join()
        self._listener.close()

    def _start(self, slot: _Slot) -> None:
        slot.process = _STARTS.Process(
            target=_work,
            args=(
                self._make,
                self._settings,
                _Shared(slot.measures, self._board, self._listener),
            ),
            kwargs={"threads": self._threads, "limits": self._limits},
            name="fhir-bridge-worker",
        )
        slot.started = time.monotonic()
        slot.process.start()

    def _watch(self) -> None:
        """Start again what has ended and tell how the feeds are, until `stop`."""
        while not self._stopping.is_set():
            self._board.write(self._told())
            running = [slot.process.sentinel for slot in self._slots if slot.process is not None]
            if running:
                wait(running, _LOOK_SECONDS)
            else:
                self._stopping.wait(_LOOK_SECONDS)
            for slot in self._slots:
                if not self._stopping.is_set():
                    self._mend(slot)

    def _mend(self, slot: _Slot) -> None:
        now = time.monotonic()
        if slot.process is None:
            if now >= slot.due:
                self._start(slot)
        elif slot.process.exitcode is not None:
            slot.quick = slot.quick + 1 if now - slot.started < _SETTLED_SECONDS else 0
            pause = min(_FIRST_PAUSE * 2 ** max(0, slot.quick - 1), _MAX_PAUSE)
            log.event(
                "worker_ended",
                level=logging.ERROR,
                pid=slot.process.pid,
                code=slot.process.exitcode,
                retries=slot.quick,
                duration_ms=round(pause * 1000),
            )
            slot.process.close()
            slot.process, slot.due = None, now + pause


def _work(
    make: Callable[[Any, Measures, Board], WorkerApp],
    settings: Any,
    shared: _Shared,
    *,
    threads: int,
    limits: Limits,
) -> None:
    """The life of a worker: until SIGTERM, or until the process that started it is gone."""
    stop = Event()
    # An interrupt from the keyboard reaches the whole group; the first process decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    parent = parent_process()
    if parent is not None:
        Thread(target=_follow, args=(parent, stop), name="parent", daemon=True).start()
    worker = make(settings, shared.measures, shared.board)
    gc.collect()
    gc.freeze()  # definitions and profiles live as long as the process: never walk them
    server = serve(worker.app, "", 0, threads, listener=shared.listener, limits=limits)
    stop.wait()
    server.close()
    worker.close()


def _follow(parent: BaseProcess, stop: Event) -> None:
    """End with the process that started this one, also when it was killed."""
    parent.join()
    stop.set()

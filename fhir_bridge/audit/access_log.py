"""The access log: a file a process that only grows, written before the answer is sent.

A line is handed to the operating system in one write: it survives the death of the process at any
moment, not the loss of power.  Who writes a file holds its lock; a file without a lock grows no
more.  The keeper makes AuditEvents of it and removes it (`keeper`).
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from threading import Lock

from fhir_bridge import clock
from fhir_bridge.audit.line import agent_line, head_line, record_line
from fhir_bridge.audit.record import Agent, AuditRecord

__all__ = ["AccessLog"]

MAX_FILE = 8 * 1024 * 1024
MAX_AGENTS = 10_000
MAX_SECONDS = 60


class AccessLog:
    """The log of this process in `folder`; made at the first line, anew after a while."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = Lock()
        self._file = -1
        self._process = 0
        self._start = self._size = 0
        self._agents: dict[Agent, int] = {}

    def append(self, record: AuditRecord) -> int:
        """Adds a record; the bytes that it took.  Raises OSError when it cannot be kept."""
        with self._lock:
            if self._is_full(record.at):
                self._open(record.at)
            number = self._agents.get(record.agent)
            text = ""
            if number is None:
                number = self._agents[record.agent] = len(self._agents)
                text = agent_line(number, record.agent)
            data = f"{text}{record_line(record, number, self._start)}".encode()
            written = os.write(self._file, data)
            if written != len(data):  # the disk is full: what is there of the line is no line
                self.forget()
                raise OSError("the access log took a part of a line only")
            self._size += written
            return written

    def forget(self) -> None:
        """Leaves the file; the next line begins another."""
        if self._file >= 0:
            os.close(self._file)
        self._file = -1

    def close(self) -> None:
        """Leaves the file: from now on it grows no more."""
        with self._lock:
            self.forget()

    def _is_full(self, at: int) -> bool:
        return (
            self._file < 0
            or self._process != os.getpid()  # after a fork the file is the other process's
            or self._size > MAX_FILE
            or len(self._agents) >= MAX_AGENTS
            or at - self._start > MAX_SECONDS * 1000
            or at < self._start
        )

    def _open(self, start: int) -> None:
        self.forget()
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._folder / f"{start:014d}-{clock.fresh_id()}.log"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        self._file = os.open(path, flags, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX)
        self._process, self._start, self._agents = os.getpid(), start, {}
        self._size = os.write(self._file, head_line(start).encode())

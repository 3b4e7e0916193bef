"""Reading a file of the access log while it may still grow."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from pathlib import Path

from fhir_bridge.audit.line import read_agent, read_record
from fhir_bridge.audit.record import Agent, AuditRecord

__all__ = ["LogFile"]


class LogFile:
    """What one file says, from where the reader stopped; a line that is not whole waits."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._offset = 0
        self._start = 0
        self._agents: dict[int, Agent] = {}

    def grows(self) -> bool:
        """Whether somebody may still write it.  To be asked before the last read."""
        with self.path.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                return True
        return False

    def records(self) -> Iterator[tuple[int, AuditRecord]]:
        """(the place in the file, the record) of each whole line that was not read yet."""
        with self.path.open("rb") as file:
            file.seek(self._offset)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                place, self._offset = self._offset, self._offset + len(line)
                record = self._read(line.decode("utf-8", "replace").rstrip("\n").split("\t"))
                if record is not None:
                    yield place, record

    def _read(self, fields: list[str]) -> AuditRecord | None:
        if fields[0] == "H":
            self._start = int(fields[2])
        elif fields[0] == "A":
            number, agent = read_agent(fields)
            self._agents[number] = agent
        elif fields[0] == "R":
            return read_record(fields, self._agents, self._start)
        return None

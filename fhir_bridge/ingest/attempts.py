"""Beginnings of work are counted durably, so that no message ends the process for ever.

What is worked on is written down before the work begins, one row for the whole batch.  Who
finds the row of a process that is gone knows what that one was working on: those messages are
worked on alone, and what was alone when the next process ended goes to quarantine (FB-6021).
Everything behind it is taken up again.

A worker that ends while its keeper goes on was ended by what it worked on.  When both are gone the
whole service was ended, which says nothing of a message and is not counted; where nobody keeps
the process the two cannot be told apart, and one more end is allowed.
"""

from __future__ import annotations

import os
import socket
from itertools import takewhile
from pathlib import Path

from fhir_bridge import clock, log
from fhir_bridge.errors import BridgeError, Issue
from fhir_bridge.journal import JournalMessage
from fhir_bridge.store import Store

__all__ = ["MAX_BYTES", "Attempts"]

MAX_BYTES = 16 * 1024 * 1024
"""Raw bytes of one batch; a message that is larger is a batch of its own."""

_MAX_BEGUN = 2  # a message that ended the work so often is not begun again
_MAX_BEGUN_UNKEPT = 3  # where the end of a process may be the machine's
_NOBODY = "-"


class Attempts:
    """What one process takes from the journal, and how often that was begun before."""

    def __init__(self, store: Store) -> None:
        self.more = False
        """Whether more is surely, or likely, pending than was given last."""
        self._store = store
        self._max_begun = _MAX_BEGUN_UNKEPT
        self._keeper = _NOBODY
        self._holder = ""
        self._begun: dict[int, int] = {}  # what is being worked on: beginnings with this one
        self._ended: dict[int, int] = {}  # beginnings of what a process that is gone worked on
        self._gone: list[str] = []  # rows to take over with the next beginning

    def kept(self) -> None:
        """This process is started again by its parent when it ends; said before the first work."""
        self._max_begun = _MAX_BEGUN
        self._keeper = f"{os.getppid()}:{_started(os.getppid())}"

    def next(self, most: int) -> list[JournalMessage]:
        """The oldest pending messages to work on together; that they are begun is durable."""
        if not self._holder:
            self._take_over()
        while entries := self._store.journal.pending(most, most_bytes=MAX_BYTES):
            first = entries[0].message_id
            self._ended = {key: times for key, times in self._ended.items() if key >= first}
            if self._ended.get(first, 0) >= self._max_begun:
                self._set_aside(entries[0])
                continue
            if first in self._ended:
                chosen = entries[:1]
            else:
                chosen = list(takewhile(lambda each: each.message_id not in self._ended, entries))
            size = sum(len(each.data) for each in chosen)
            self.more = len(chosen) == most or bool(self._ended) or size > MAX_BYTES // 2
            self._begin(chosen)
            return chosen
        self.more, self._begun, self._ended = False, {}, {}
        return []

    def end(self) -> None:
        """The work is ended in order: what is pending was not at fault."""
        if self._holder:
            self._store.at_work.end(self._holder)
            self._begun = {}

    def failed(self) -> None:
        """What is begun ended the work (it took all the memory) although the process goes on."""
        self._ended |= self._begun

    def _begin(self, chosen: list[JournalMessage]) -> None:
        self._begun = {each.message_id: self._ended.get(each.message_id, 0) + 1 for each in chosen}
        self._store.at_work.begin(
            self._holder, self._begun, later=self._ended, instead_of=self._gone
        )
        self._gone = []

    def _take_over(self) -> None:
        """Learn what processes that are gone were working on."""
        self._holder = _own_name(self._keeper)
        for holder, entries in self._store.at_work.holders().items():
            if _is_running(holder):
                continue
            self._gone.append(holder)
            uncounted = int(_keeper_of(holder) not in {_NOBODY, self._keeper})
            for message_id, times in entries.items():
                counted = max(times - uncounted, self._ended.get(message_id, 0))
                if counted:
                    self._ended[message_id] = counted

    def _set_aside(self, entry: JournalMessage) -> None:
        """To quarantine with what ended the work too often."""
        issue = Issue("FB-6021", "error", details={"count": str(self._max_begun)})
        log.event("set_aside", feed=entry.feed, message_id=entry.message_id, code=issue.code)
        try:
            self._store.quarantine.set_aside(entry.message_id, issue)
        except BridgeError as error:
            if error.code != "FB-5204":  # somebody else was quicker
                raise
        del self._ended[entry.message_id]


def _own_name(keeper: str) -> str:
    """Host, process, its start and its keeper, by which others see whether this one runs."""
    pid = os.getpid()
    return f"{socket.gethostname()} {pid} {_started(pid)} {keeper} {clock.fresh_id()}"


def _is_running(holder: str) -> bool:
    """Whether the process of this name surely runs, on this machine."""
    host, pid, started = holder.split(" ")[:3]
    return host == socket.gethostname() and bool(started != "-" and started == _started(int(pid)))


def _keeper_of(holder: str) -> str:
    return holder.split(" ")[3]


def _started(pid: int) -> str:
    """When a process began, in ticks since the machine did; "-" where that is not told.

    https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html, field 22.
    """
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return "-"
    return text.rpartition(")")[2].split()[19]

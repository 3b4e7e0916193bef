"""The folder watcher: files that other systems drop.

A file is taken when nobody writes it any more: its size and time of change have stood
still for the feed's ``settle_seconds``.  Names that begin with ``.`` or end in ``.part``
or ``.tmp`` are never taken, so a sender that writes under such a name and renames is
safe at any speed.  A taken file is one journal entry; when that is durable the file
moves to ``done/``.  A crash in between brings the file again, and the journal knows it.
What cannot be read or is too large moves to ``failed/`` and never stops the others.

Each inbox is watched by a thread of its own: a share that hangs holds up nobody else.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from fhir_bridge import log
from fhir_bridge.errors import Issue
from fhir_bridge.ingest import Feed, Intake
from fhir_bridge.listeners.inbox import Inbox

__all__ = ["FolderWatcher"]


class FolderWatcher:
    """Watches the folder of every feed of kind ``folder``; `inbox` holds those not named."""

    def __init__(self, feeds: Iterable[Feed], intake: Intake, inbox: Path) -> None:
        self._inboxes = [
            Inbox(
                feed,
                Path(feed.listener.folder) if feed.listener.folder else inbox / feed.name,
                intake,
                ours=not feed.listener.folder,
            )
            for feed in feeds
            if feed.listener.kind == "folder"
        ]
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(
                target=self._run, args=(each,), name=f"folder {each.feed.name}", daemon=True
            )
            for each in self._inboxes
        ]

    @property
    def folders(self) -> Mapping[str, Path]:
        """The folder of each feed, by name."""
        return {each.feed.name: each.folder for each in self._inboxes}

    @property
    def conditions(self) -> Mapping[str, Sequence[Issue]]:
        """What is wrong with each feed's inbox now, by name; empty where all is well."""
        return {each.feed.name: each.conditions for each in self._inboxes}

    def waiting(self) -> bool:
        """Whether some inbox holds a file that will be taken."""
        return any(each.waiting() for each in self._inboxes)

    def start(self) -> None:
        """Make the folders and begin to watch."""
        for each in self._inboxes:
            each.make()
            log.event("folder_watched", feed=each.feed.name)
        for thread in self._threads:
            thread.start()

    def stop(self, timeout: float = 10) -> None:
        """Finish the files at hand and end; one that takes longer is read again at the next start."""
        self._stopping.set()
        for each in self._inboxes:
            each.stop()
        until = time.monotonic() + timeout
        for thread in self._threads:
            if thread.is_alive():
                thread.join(max(0.0, until - time.monotonic()))

    def scan(self, now: float) -> int:
        """Look once through all folders at monotonic time `now`; how many files were taken."""
        return sum(each.look(now) for each in self._inboxes)

    def _run(self, inbox: Inbox) -> None:
        pause = max(0.05, min(inbox.feed.listener.settle_seconds / 2, 1))
        said: list[str] = []
        while not self._stopping.wait(pause):
            try:
                inbox.look(time.monotonic())
            except Exception as error:  # a fault of ours must not end the watch
                log.event(
                    "folder_fault", feed=inbox.feed.name, code="FB-9001", kind=type(error).__name__
                )
            codes = [each.code for each in inbox.conditions]
            if codes != said:
                said = codes
                if not codes:
                    log.event("inbox_well", feed=inbox.feed.name)
                for code in codes:
                    log.event(
                        "inbox_trouble", level=logging.WARNING, feed=inbox.feed.name, code=code
                    )

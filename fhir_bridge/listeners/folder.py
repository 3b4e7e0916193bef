"""The folder watcher: files that other systems drop.

A file is taken when nobody writes it any more: its size and time of change have stood
still for the feed's ``settle_seconds``.  Names that begin with ``.`` or end in ``.part``
or ``.tmp`` are never taken, so a sender that writes under such a name and renames is
safe at any speed.  A taken file is one journal entry; when that is durable the file
moves to ``done/``.  A crash in between brings the file again, and the journal knows it.
What cannot be read or is too large moves to ``failed/`` and never stops the others.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterable, Mapping
from fnmatch import fnmatch
from pathlib import Path

from fhir_bridge import clock, log
from fhir_bridge.errors import Issue
from fhir_bridge.ingest import Arrival, Feed, Journal

__all__ = ["LARGEST_FILE", "FolderWatcher"]

LARGEST_FILE = 512 * 1024 * 1024  # bytes

_UNFINISHED = (".part", ".tmp", ".filepart", ".crdownload")
_PATTERNS = {
    "hl7v2": ("*.hl7", "*.txt"),
    "cda": ("*.xml",),
    "table": ("*.csv", "*.tsv", "*.xlsx", "*.json", "*.ndjson"),
    "fhir": ("*.json", "*.xml", "*.ndjson"),
}
_CONTENT_TYPES = {
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".json": "application/json",
    ".ndjson": "application/x-ndjson",
    ".xml": "application/xml",
    ".hl7": "application/hl7-v2",
    ".txt": "application/hl7-v2",
}


class FolderWatcher:
    """Watches the folder of every feed of kind ``folder``; `inbox` holds those not named."""

    def __init__(self, feeds: Iterable[Feed], journal: Journal, inbox: Path) -> None:
        self._feeds = [feed for feed in feeds if feed.listener.kind == "folder"]
        self._journal = journal
        self._inbox = inbox
        self._seen: dict[Path, tuple[int, int, float]] = {}  # size, mtime_ns, since (monotonic)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="folder", daemon=True)

    @property
    def folders(self) -> Mapping[str, Path]:
        """The folder of each feed, by name."""
        return {
            feed.name: Path(feed.listener.folder)
            if feed.listener.folder
            else self._inbox / feed.name
            for feed in self._feeds
        }

    def start(self) -> None:
        """Make the folders and begin to watch."""
        for name, folder in self.folders.items():
            for part in (folder, folder / "done", folder / "failed"):
                part.mkdir(parents=True, exist_ok=True)
            log.event("folder_watched", feed=name)
        self._thread.start()

    def stop(self, timeout: float = 10) -> None:
        """Finish the file at hand and end."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def scan(self, now: float) -> int:
        """Look once through all folders at monotonic time `now`; how many files were taken."""
        taken = 0
        present: set[Path] = set()
        folders = self.folders
        for feed in self._feeds:
            for path in self._candidates(feed, folders[feed.name]):
                present.add(path)
                if self._stopping.is_set():
                    return taken
                if self._settled(path, feed, now):
                    taken += self._take(path, feed)
        for gone in self._seen.keys() - present:
            del self._seen[gone]
        return taken

    def _run(self) -> None:
        seconds = min((feed.listener.settle_seconds for feed in self._feeds), default=2) / 2
        while not self._stopping.wait(max(0.05, min(seconds, 1))):
            try:
                self.scan(time.monotonic())
            except Exception:  # one unreadable folder must not end the watch over the others
                log.event("folder_fault", code="FB-9001")

    def _candidates(self, feed: Feed, folder: Path) -> list[Path]:
        patterns = feed.listener.pattern or _PATTERNS[feed.format]
        return [
            path
            for path in sorted(folder.iterdir())
            if not path.name.startswith(".")
            and not path.name.lower().endswith(_UNFINISHED)
            and any(fnmatch(path.name.lower(), pattern.lower()) for pattern in patterns)
            and path.is_file()
        ]

    def _settled(self, path: Path, feed: Feed, now: float) -> bool:
        """Whether size and time of change have stood still long enough."""
        try:
            status = path.stat()
        except OSError:
            return False
        size, changed, since = self._seen.get(path, (-1, -1, now))
        if (size, changed) != (status.st_size, status.st_mtime_ns):
            self._seen[path] = (status.st_size, status.st_mtime_ns, now)
            return feed.listener.settle_seconds <= 0
        return now - since >= feed.listener.settle_seconds

    def _take(self, path: Path, feed: Feed) -> int:
        """Journal one file, then move it; 1 if it was taken."""
        before = path.stat()
        if before.st_size > LARGEST_FILE:
            self._fail(path, feed, Issue("FB-6103", details={"limit": str(LARGEST_FILE)}))
            return 0
        try:
            data = path.read_bytes()
        except OSError:
            self._fail(path, feed, Issue("FB-6102"))
            return 0
        after = path.stat()
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            return 0  # still being written after all: look again later
        content_type = _CONTENT_TYPES.get(path.suffix.lower(), "application/octet-stream")
        arrival = Arrival(feed.name, data, "", content_type, path.name)
        try:
            self._journal.append([arrival])
        except Exception:  # the database is away: the file stays and is tried again
            log.event("journal_unavailable", feed=feed.name, code="FB-6101")
            return 0
        self._move(path, path.parent / "done")
        log.event("file_taken", feed=feed.name, bytes=len(data))
        return 1

    def _fail(self, path: Path, feed: Feed, issue: Issue) -> None:
        log.event("file_refused", feed=feed.name, code=issue.code)
        self._journal.refuse(Arrival(feed.name, b"", source=path.name), [issue])
        self._move(path, path.parent / "failed")

    def _move(self, path: Path, folder: Path) -> None:
        """Move within the feed's folder; a name already there gets the time beside it."""
        target = folder / path.name
        if target.exists():
            target = folder / f"{path.stem}.{clock.now():%Y%m%dT%H%M%S%f}{path.suffix}"
        with contextlib.suppress(OSError):
            path.replace(target)
        self._seen.pop(path, None)

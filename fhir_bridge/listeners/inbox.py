"""The inbox of one feed: which of its files are settled, taken, left alone, and why.

Every trouble is of this inbox alone and becomes a condition in words; the next look tries again.
"""

from __future__ import annotations

import contextlib
import os
import stat
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

from fhir_bridge import clock, log
from fhir_bridge.errors import Issue
from fhir_bridge.ingest import Feed, Intake, unavailable
from fhir_bridge.journal import Message

__all__ = ["MAX_FILE_BYTES", "Inbox"]

MAX_FILE_BYTES = 512 * 1024 * 1024  # bytes

_UNFINISHED = (".part", ".tmp", ".filepart", ".crdownload")
_STALE_SECONDS = 3600.0
_SILENT_SECONDS = 60.0
_PARTS = ("done", "failed")
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

_State = tuple[int, int]  # size, time of change in ns


@dataclass(slots=True)
class _Scan:
    """What one look at the folder found beside files to take."""

    paths: list[Path] = field(default_factory=list)
    misfits: int = 0
    links: int = 0
    stale: int = 0


class Inbox:
    """One folder; `look` is called again and again, `conditions` says how it stands."""

    def __init__(self, feed: Feed, folder: Path, intake: Intake, *, ours: bool) -> None:
        self.feed, self.folder = feed, folder
        self._intake = intake
        self._ours = ours
        self._seen: dict[Path, tuple[_State, float]] = {}  # state, since (monotonic)
        self._kept: dict[Path, _State] = {}  # journalled, and still to be moved
        self._stopping = False
        self._standing: tuple[Issue, ...] = ()
        self._began: float | None = None  # of the look that goes on

    @property
    def conditions(self) -> Sequence[Issue]:
        """What is wrong with this inbox now (FB-6101, FB-6111 to FB-6117); empty when all is well."""
        began = self._began
        if began is not None and (silent := time.monotonic() - began) > _SILENT_SECONDS:
            return (self._issue("FB-6117", seconds=f"{silent:.0f}"),)
        return self._standing

    def make(self) -> None:
        """Make the folders where they can be made."""
        with contextlib.suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            self._make_parts()

    def stop(self) -> None:
        """After the file at hand take no more."""
        self._stopping = True

    def look(self, now: float) -> int:
        """Look once at monotonic time `now`; how many files were taken."""
        self._began = time.monotonic()
        self._standing, taken = self._look(now)
        self._began = None
        return taken

    def waiting(self) -> bool:
        """Whether a file is there that will be taken."""
        with contextlib.suppress(OSError):
            return bool(self._find(0.0).paths)
        return False

    def _look(self, now: float) -> tuple[tuple[Issue, ...], int]:
        taken, issues = 0, dict[str, Issue]()
        try:
            if self._ours and self.folder.parent.is_dir():
                self.folder.mkdir(exist_ok=True)
            scan = self._find(time.time())
            self._make_parts()
        except FileNotFoundError:
            return (self._issue("FB-6111"),), 0
        except OSError:
            return (self._issue("FB-6112"),), 0
        for path in scan.paths:
            if self._stopping:
                break
            if self._settled(path, now):
                took, issue = self._take(path)
                taken += took
                if issue is not None:
                    issues[issue.code] = issue
        for known in (self._seen, self._kept):
            for gone in known.keys() - set(scan.paths):
                del known[gone]
        return (*issues.values(), *self._left(scan)), taken

    def _left(self, scan: _Scan) -> Iterator[Issue]:
        """What lies in the folder and will never be taken."""
        if scan.misfits:
            patterns = ", ".join(self._patterns)
            yield self._issue("FB-6114", "warning", count=str(scan.misfits), patterns=patterns)
        if scan.links:
            yield self._issue("FB-6115", "warning", count=str(scan.links))
        if scan.stale:
            yield self._issue("FB-6116", "warning", count=str(scan.stale))

    @property
    def _patterns(self) -> Sequence[str]:
        return self.feed.listener.pattern or _PATTERNS[self.feed.format]

    def _find(self, at: float) -> _Scan:
        """Sort what is in the folder; `at` is the time of day in seconds."""
        scan = _Scan()
        for path in sorted(self.folder.iterdir()):
            name = _readable(path.name).lower()
            try:
                status = path.lstat()
            except FileNotFoundError:
                continue  # taken away meanwhile
            if name.startswith(".") or (stat.S_ISDIR(status.st_mode) and name in _PARTS):
                continue
            if name.endswith(_UNFINISHED):
                scan.stale += at - status.st_mtime > _STALE_SECONDS
            elif stat.S_ISLNK(status.st_mode):
                scan.links += 1
            elif not stat.S_ISREG(status.st_mode) or not any(
                fnmatch(name, pattern.lower()) for pattern in self._patterns
            ):
                scan.misfits += 1
            else:
                scan.paths.append(path)
        return scan

    def _settled(self, path: Path, now: float) -> bool:
        """Whether size and time of change have stood still long enough."""
        try:
            state = _state(path.lstat())
        except OSError:
            return False
        seconds = self.feed.listener.settle_seconds
        known, since = self._seen.get(path, (None, now))
        if known != state:
            self._seen[path] = state, now
            return seconds <= 0
        return now - since >= seconds

    def _take(self, path: Path) -> tuple[bool, Issue | None]:
        """Journal one file, then move it: whether it was taken, and what was in the way."""
        try:
            before = path.lstat()
            if self._kept.get(path) == _state(before):
                return False, self._move(path, "done")
            if before.st_size > MAX_FILE_BYTES:
                limit = {"limit": str(MAX_FILE_BYTES)}
                return False, self._fail(path, Issue("FB-6103", details=limit))
            data = _read(path)
            after = path.lstat()
        except OSError:
            return False, self._fail(path, Issue("FB-6102"))
        if _state(after) != _state(before):
            return False, None  # still being written after all: look again later
        name = _readable(path.name)
        content_type = _CONTENT_TYPES.get(Path(name).suffix.lower(), "application/octet-stream")
        try:
            self._intake.append([Message(self.feed.name, data, "", content_type, name)])
        except Exception as error:  # the file stays and is tried again
            return False, self._unavailable(error)
        self._kept[path] = _state(before)
        log.event("file_taken", feed=self.feed.name, bytes=len(data))
        return True, self._move(path, "done")

    def _fail(self, path: Path, issue: Issue) -> Issue | None:
        """Keep the reason and put the file aside; what is in the way of that."""
        log.event("file_refused", feed=self.feed.name, code=issue.code)
        try:
            message = Message(self.feed.name, b"", source=_readable(path.name))
            self._intake.refuse(message, [issue])
        except Exception as error:  # nobody would learn why it stands in failed/
            return self._unavailable(error)
        return self._move(path, "failed")

    def _unavailable(self, error: Exception) -> Issue:
        issue = unavailable(error)
        log.event("journal_unavailable", feed=self.feed.name, code=issue.code)
        return issue

    def _move(self, path: Path, part: str) -> Issue | None:
        """Move within the feed's folder; a name already there gets the time beside it."""
        target = self.folder / part / path.name
        if target.exists():
            target = target.with_name(f"{path.stem}.{clock.now():%Y%m%dT%H%M%S%f}{path.suffix}")
        try:
            path.replace(target)
        except FileNotFoundError:
            if path.exists():
                return self._issue("FB-6113")
        except OSError:
            return self._issue("FB-6113")
        self._seen.pop(path, None)
        self._kept.pop(path, None)
        return None

    def _make_parts(self) -> None:
        """``done`` and ``failed`` in a folder that is there; a file is taken without them too."""
        for part in _PARTS:
            with contextlib.suppress(OSError):
                (self.folder / part).mkdir(exist_ok=True)

    def _issue(self, code: str, severity: str = "error", **details: str) -> Issue:
        return Issue(code, severity, "", {"feed": self.feed.name, **details})  # type: ignore[arg-type]


def _state(status: os.stat_result) -> _State:
    return status.st_size, status.st_mtime_ns


def _read(path: Path) -> bytes:
    """The bytes of a regular file; a link that took its place meanwhile is not followed."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        return file.read()


def _readable(name: str) -> str:
    """A file's name as text: UTF-8, else GB18030 as Chinese systems write it, else escaped."""
    raw = os.fsencode(name)
    for charset in ("utf-8", "gb18030"):
        try:
            text = raw.decode(charset)
        except UnicodeDecodeError:
            continue
        return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)
    return raw.decode("ascii", "backslashreplace")

"""The keeper: lines of the access log become AuditEvents, events are chained, old ones dropped.

What it does may be done twice: an event's id follows from its file and place, and content that is
stored already writes nothing.  So it may be killed at any moment, and the next one begins a file
anew.  A file that is told whole and grows no more is removed.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Event

from fhir_bridge import clock, log
from fhir_bridge.audit.audit_event import audit_events
from fhir_bridge.audit.log_file import LogFile
from fhir_bridge.audit.record import AuditRecord
from fhir_bridge.audit.shown import patients_in
from fhir_bridge.database import milliseconds
from fhir_bridge.fhir import Resource
from fhir_bridge.store import Store

__all__ = ["AuditKeeper"]

_PAUSE_SECONDS = 0.25
_RETRY_SECONDS = 5.0
_BATCH = 200
_LINK_SECONDS = 1.0
_DROP_SECONDS = 3600.0
_YEAR = timedelta(days=365.25)


class AuditKeeper:
    """Reads the access log in `folder` into `store`; events are kept for `years`."""

    def __init__(self, store: Store, folder: Path, base_url: str, years: int) -> None:
        self._store = store
        self._folder = folder
        self._base_url = base_url
        self._years = years
        self._files: dict[Path, LogFile] = {}
        self._dropped = self._linked = 0.0

    def run(self, stopping: Event) -> None:
        """Work until `stopping`, and once more then."""
        while True:
            ends = stopping.is_set()
            try:
                self.work()
                self._drop_old()
            except Exception as error:  # the database is away: the log keeps everything
                log.event(
                    "audit_fault", level=logging.ERROR, code="FB-6006", kind=type(error).__name__
                )
                stopping.wait(_RETRY_SECONDS)
            if ends:
                return
            stopping.wait(_PAUSE_SECONDS)

    def work(self) -> int:
        """Everything that the log says by now is made events, and linked; how many records."""
        count = 0
        for path in sorted(self._folder.glob("*.log")) if self._folder.is_dir() else ():
            file = self._files.setdefault(path, LogFile(path))
            grows = file.grows()
            try:
                count += self._expand(file)
            except BaseException:
                del self._files[path]  # read again from its start
                raise
            if not grows:
                path.unlink(missing_ok=True)
                del self._files[path]
        self._link(at_once=count > 0)
        return count

    def _link(self, *, at_once: bool) -> None:
        """Chain what has no link: what was made now, and each second what others wrote."""
        now = time.monotonic()
        if not at_once and self._linked and now - self._linked < _LINK_SECONDS:
            return
        while self._store.audit_links.add_missing(of_any_age=not self._linked):
            pass
        self._linked = now

    def _expand(self, file: LogFile) -> int:
        count, events = 0, list[Resource]()
        for place, record in file.records():
            count += 1
            events += self._events(record, file.path.stem, str(place))
            if len(events) >= _BATCH:
                self._put(events)
                events = []
        if events:
            self._put(events)
        return count

    def _events(self, record: AuditRecord, *key: str) -> Iterator[Resource]:
        if record.unresolved:
            patients = dict.fromkeys(record.patients)
            for place in record.unresolved:
                patients |= dict.fromkeys(self._patients_of(place))
            record = replace(record, patients=tuple(patients))
        return audit_events(record, self._base_url, *key)

    def _patients_of(self, place: str) -> tuple[str, ...]:
        """Whom a resource is about, by its present version."""
        resource_type, _, id_ = place.partition("/")
        if resource_type == "Patient":
            return (id_,)
        stored = self._store.read(resource_type, id_)
        return patients_in(stored.body) if stored is not None else ()

    def _put(self, events: list[Resource]) -> None:
        with self._store.transaction() as transaction:
            transaction.put_many(events)

    def _drop_old(self) -> None:
        now = time.monotonic()
        if self._dropped and now - self._dropped < _DROP_SECONDS:
            return
        self._dropped = now
        while self._store.audit_links.drop(milliseconds(clock.now() - self._years * _YEAR)):
            pass

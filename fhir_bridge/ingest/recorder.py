"""The last step of the pipeline, ``record``: one transaction for what a batch changes.

Resources, statements, Provenance, what is refused and that the entries are done: all of it or
nothing.  A batch whose transaction fails is done again record by record; the one that fails
alone goes to quarantine.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from fhir_bridge import clock, log
from fhir_bridge.database import milliseconds_of
from fhir_bridge.errors import BridgeError
from fhir_bridge.security_labels import Labeller
from fhir_bridge.store import Store, Transaction

from .draft import Draft
from .exports import take_back_vanished
from .judging import Judging
from .set_aside import SetAside
from .timings import Timings
from .transform import Mapped
from .unread import Unread
from .work import Work, fault, status

__all__ = ["Recorder"]


class Recorder:
    """Records batches for one pipeline; `again` reads a record anew."""

    def __init__(
        self,
        store: Store,
        judging: Judging,
        again: Callable[[Work], Work],
        unread: Unread,
        timings: Timings,
        *,
        labeller: Labeller | None = None,
    ) -> None:
        self._store = store
        self._labeller = labeller
        self._judging = judging
        self._resolver = judging.resolver
        self._again = again
        self._unread = unread
        self._timings = timings
        self._set_aside = SetAside(store.quarantine, timings)
        self._name = clock.fresh_id().encode()  # among several pipelines

    def record(self, works: Sequence[Work]) -> None:
        """Resolve, validate and record a batch in one transaction; one by one if that fails."""
        refused = [work.tally.refused for work in works]
        try:
            self._commit(works)
        except MemoryError:
            raise
        except Exception as error:
            self._resolver.forget()
            for work, count in zip(works, refused, strict=True):
                work.tally.refused = count
            if len(works) == 1:
                self._give_up(works[0], error)
                return
            log.event("batch_divided", count=len(works), kind=type(error).__name__)
            for work in works:
                self.record([self._again(work)])

    def write_counts(self) -> None:
        """Write what was counted since the last commit, when nothing else is to be written."""
        tallies = self._unread.due(now=True)
        if tallies:
            with self._store.transaction() as transaction:
                transaction.count_unread(tallies)
            self._unread.written()

    def _commit(self, works: Sequence[Work]) -> None:
        with self._store.transaction() as transaction:
            works = self._in_turn(works, transaction)
            batch = Draft(transaction, self._labeller)
            self._judging.judge(works, batch)
            for work in works:
                if work.refused:
                    self._set_aside.keep(work, transaction)
            with self._timings.stage("record"):
                written = batch.apply()
                self._close_entries(works, transaction)
                tallies = self._unread.due()
                if tallies:
                    transaction.count_unread(tallies)
            start, cpu = time.perf_counter_ns(), time.thread_time_ns()
        self._timings.nanoseconds["record"] += time.perf_counter_ns() - start  # the commit
        self._timings.cpu_nanoseconds["record"] += time.thread_time_ns() - cpu
        self._resolver.keep()
        if tallies:
            self._unread.written()
        for work in works:
            if not work.refused:
                self._unread.add(work.left, work.entry.received)
        self._timings.resources += written
        self._timings.commits += 1

    def _in_turn(self, works: Sequence[Work], transaction: Transaction) -> list[Work]:
        """Those of `works` that nobody has finished; one process at a time gets past this.

        What another one recorded meanwhile (an import or a replay beside the service) is not
        recorded again, and what was remembered of persons is looked up anew.
        """
        if not transaction.take_turn("pipeline", self._name):
            self._resolver.forget(everything=True)
        pending = transaction.journal_pending(sorted({w.entry.message_id for w in works}))
        return [work for work in works if work.entry.message_id in pending]

    def _close_entries(self, works: Sequence[Work], transaction: Transaction) -> None:
        """The entries whose last record is among `works` are done."""
        for work in works:
            if work.last:
                self._close_export(work, transaction)
                transaction.journal_done(work.entry.message_id, *status(work))

    def _close_export(self, work: Work, transaction: Transaction) -> None:
        """Every row of a file is written: what a full export no longer brings is taken back."""
        feed, entry = work.feed, work.entry
        if feed is None or not feed.table.full_export or work.tally.refused:
            return
        at = milliseconds_of(entry.received)
        vanished = take_back_vanished(
            transaction, feed, entry.message_id, at, self._resolver, labeller=self._labeller
        )
        work.tally.vanished = len(vanished.let_go)

    def _give_up(self, work: Work, error: Exception) -> None:
        """One record that cannot be recorded goes to quarantine; a dead database goes up."""
        if isinstance(error, BridgeError):
            work.refuse(error.issues)
        else:
            work.refuse([fault(work.entry, error)])
        work.mapped, work.task = Mapped(None), None
        self._commit([work])

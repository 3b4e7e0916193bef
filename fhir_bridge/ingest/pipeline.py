"""The pipeline: what becomes of a journal entry, in the order of this file.

    parse → transform → resolve → validate → record

Each step takes one value and gives one value.  Many records share one commit; order is
the journal's, so what is said of one patient is recorded in the order it was said.  What
fails in one record never stops another: it rests in quarantine with its bytes, its coded
issues and its place.  Every effect has an id that follows from its content, so an entry
that is worked on again after a crash changes nothing twice.

``resolve`` only reads: what a record changes is a draft until ``validate`` has judged it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial

from fhir_bridge import clock, log
from fhir_bridge.audit import provenance
from fhir_bridge.budget import INSTALLED, bounded
from fhir_bridge.database import milliseconds_of
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import Resource
from fhir_bridge.journal import JournalMessage, QuarantineEntry
from fhir_bridge.store import Store, Transaction
from fhir_bridge.update import UpdateRules

from .attempts import Attempts
from .draft import Draft
from .entries import Task
from .exports import take_back_vanished
from .feed import Feed, get_feed
from .garbage import collect_between, spare_what_stays, uncollected
from .lineage import lineage_extensions
from .parse import Record, parse
from .resolve import PatientLinker, Resolved, Resolver, Spoken
from .timings import Timings
from .transform import MapLibrary, Mapped, Transformer, is_refused
from .unread import Unread
from .validate import ResourceCheck, Validation
from .work import Tally, Work, batches, fault, leading_issue, status

__all__ = ["Pipeline"]

_ROW = "application/json"  # how a row of a table is kept in quarantine
_WAIT_SECONDS = 1.0  # how long the thread sleeps when nobody wakes it
_GATHER_SECONDS = 0.03  # after a wake: what comes together goes together into one commit
_STREAM_SECONDS = 0.2  # the same while messages keep coming: each commit costs as much as half one
_RETRY_SECONDS = 5.0  # after the database failed


class Pipeline:
    """Works through the journal: :meth:`drain` at once, or :meth:`start` a thread that does.

    :mod:`.keeper` runs it in a process of its own.
    """

    def __init__(
        self,
        store: Store,
        feeds: Mapping[str, Feed],
        *,
        library: MapLibrary,
        validator: ResourceCheck,
        linker: PatientLinker,
        update_rules: UpdateRules | None = None,
        batch: int = 200,
        models_check: str = "off",
    ) -> None:
        self.timings = Timings()
        self.failing = False
        """Whether the last batch could not be written; it is tried again."""
        self._store = store
        self._feeds = feeds
        self._transformer = Transformer(library)
        self._validation = Validation(validator, models_check)
        self._resolver = Resolver(linker, update_rules or UpdateRules())
        self._unread = Unread(
            library, store.unread, {feed.name: feed.hooks for feed in feeds.values()}
        )
        self._attempts = Attempts(store)
        self._batch = batch
        self._name = clock.fresh_id().encode()
        self._rested: tuple[int, frozenset[bytes]] = (0, frozenset())
        self._arrived = threading.Event()
        self._wake: Callable[[], None] = self._arrived.set
        self._stopping = threading.Event()
        self._working = threading.Lock()  # one batch at a time: order is kept
        self._thread: threading.Thread | None = None

    # --- the thread -----------------------------------------------------------------

    def prepare(self) -> None:
        """Compile every map that a feed names, before any message comes.

        Raises BridgeError FB-2104 or FB-21xx for one that is missing or wrong.
        """
        self._transformer.compile_maps(self._feeds.values())
        self._validation.prepare(self._feeds.values())
        spare_what_stays()

    def start(self) -> None:
        """Work in a thread of its own until :meth:`stop`; raises as :meth:`prepare` does."""
        self.prepare()
        self._thread = threading.Thread(target=self.run, name="pipeline", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Finish the batch at hand; what is pending stays in the journal."""
        self._stopping.set()
        self._arrived.set()

    def stop(self, timeout: float = 30) -> None:
        """End, and wait for it."""
        self.end()
        if self._thread is not None:
            self._thread.join(timeout)

    def wake(self) -> None:
        """Something arrived (called by the journal's door)."""
        self._wake()

    def hand_over(self, wake: Callable[[], None] | None) -> None:
        """The work is done in another process, which `wake` wakes; None: in this one again."""
        self._wake = wake or self._arrived.set

    def kept(self) -> None:
        """This process is a worker that its parent starts again when it ends."""
        self._attempts.kept()

    def run(self, *, dies_of_memory: bool = False) -> None:
        """Work until :meth:`end`; with `dies_of_memory` MemoryError ends it, too."""
        while not self._stopping.is_set():
            self._arrived.clear()
            try:
                finished = self.drain(once=True)
                self.failing = False
                if self._attempts.more:
                    continue
            except MemoryError:  # what took it is tried alone, and then no more
                if dies_of_memory:
                    raise
                log.event("pipeline_fault", code="FB-6023", kind="MemoryError")
                self._resolver.forget(everything=True)
                self._attempts.failed()
                continue
            except Exception as error:  # the database is away: the journal keeps everything
                log.event("pipeline_fault", code="FB-6006", kind=type(error).__name__)
                self.failing = True
                self._stopping.wait(_RETRY_SECONDS)
                continue
            if self._arrived.wait(_WAIT_SECONDS):
                self._stopping.wait(_STREAM_SECONDS if finished else _GATHER_SECONDS)
        with suppress(Exception):  # counts are no reason to hold up the end
            self._attempts.end()
            self._write_counts()

    # --- the order ------------------------------------------------------------------

    def drain(self, *, once: bool = False) -> int:
        """Work on pending entries until none is left (`once`: one batch); entries finished.

        Raises MemoryError, and what the database raises; what was worked on is pending still.
        """
        finished = 0
        with self._working, uncollected(), bounded(INSTALLED):
            while not self._stopping.is_set():
                entries = self._attempts.next(self._batch)
                if not entries:
                    self._write_counts()
                    break
                for works in batches(self._works(entries), self._batch):
                    self._finish(works)
                    for work in works:
                        work.let_go()
                    collect_between()
                    if self._stopping.is_set():  # the rest of a file comes again
                        return finished
                finished += len(entries)
                self.timings.entries += len(entries)
                if once:
                    break
        return finished

    def _works(self, entries: Iterable[JournalMessage]) -> Iterator[Work]:
        """Parse and transform the records of `entries`; the last of each is marked."""
        for entry in entries:
            earlier: Work | None = None
            tally = Tally()
            for work in self._records(entry):
                work.tally = tally
                tally.records += 1
                tally.refused += work.refused
                tally.warned += not work.refused and bool(work.issues)
                if earlier is not None:
                    yield earlier
                earlier = work
            final = earlier or Work(entry, None, None)
            final.last = True
            yield final

    def _records(self, entry: JournalMessage) -> Iterator[Work]:
        """One work for each record of `entry`; trouble is one more work with its issues."""
        try:
            feed = get_feed(self._feeds, entry.feed)
            records = parse(entry.data, feed)
            while True:
                with self.timings.stage("parse"):
                    record = next(records, None)
                if record is None:
                    return
                self.timings.records += 1
                yield self._work(entry, feed, record)
        except BridgeError as error:
            yield Work(entry, None, None, issues=list(error.issues))
        except MemoryError:
            raise
        except Exception as error:  # a fault of ours must not hold up the others
            yield Work(entry, None, None, issues=[fault(entry, error)])

    def _work(self, entry: JournalMessage, feed: Feed, record: Record) -> Work:
        work = Work(entry, feed, record, issues=list(record.issues))
        try:
            with self.timings.stage("transform"):
                work.mapped = self._transformer.transform(record, feed)
            work.issues += work.mapped.issues
            if not work.refused:
                self._look(work, feed, record)
        except BridgeError as error:
            work.issues += error.issues
        except MemoryError:
            raise
        except Exception as error:  # as above
            work.issues.append(fault(entry, error))
        record.let_go()
        return work

    def _look(self, work: Work, feed: Feed, record: Record) -> None:
        """Note what of the record no rule of its map took over."""
        if work.mapped.structure_map:
            with self.timings.stage("transform"):
                work.left = self._unread.look(
                    record.tree, feed.format, feed.name, work.mapped.structure_map, work.issues
                )

    def _write_counts(self) -> None:
        """Write what was counted since the last commit, when nothing else is to be written."""
        tallies = self._unread.due(now=True)
        if tallies:
            with self._store.transaction() as transaction:
                transaction.count_unread(tallies)
            self._unread.written()

    def _finish(self, works: Sequence[Work]) -> None:
        """Resolve and record a batch in one transaction; one by one if that fails."""
        try:
            self._commit(works)
        except MemoryError:
            raise
        except Exception as error:
            self._resolver.forget()
            if len(works) == 1:
                self._give_up(works[0], error)
                return
            log.event("batch_divided", count=len(works), kind=type(error).__name__)
            for work in works:
                self._finish([self._again(work)])

    def _commit(self, works: Sequence[Work]) -> None:
        with self._store.transaction() as transaction:
            works = self._in_turn(works, transaction)
            batch = Draft(transaction)
            with self.timings.stage("resolve"):
                self._read(works, batch)
            for work in works:
                if work.task is not None:
                    self._decide(work, work.task, batch)
                if work.refused:
                    self._quarantine(work, transaction)
            with self.timings.stage("record"):
                written = batch.apply()
                for work in works:
                    if work.last:
                        self._finish_export(work, transaction)
                        transaction.journal_done(work.entry.message_id, *status(work))
                tallies = self._unread.due()
                if tallies:
                    transaction.count_unread(tallies)
                start, cpu = time.perf_counter_ns(), time.thread_time_ns()
        self.timings.nanoseconds["record"] += time.perf_counter_ns() - start  # the commit
        self.timings.cpu_nanoseconds["record"] += time.thread_time_ns() - cpu
        self._resolver.keep()
        if tallies:
            self._unread.written()
        for work in works:
            if not work.refused:
                self._unread.add(work.left, work.entry.received)
        self.timings.resources += written
        self.timings.commits += 1

    def _read(self, works: Sequence[Work], batch: Draft) -> None:
        """Names what the records speak of, and looks all of it up."""
        for work in works:
            feed, record, bundle = work.feed, work.record, work.mapped.bundle
            if feed is None or record is None or bundle is None or work.refused:
                continue
            spoken = Spoken(
                feed, partial(getattr, record, "digest"), record.types, work.entry.message_id,
                milliseconds_of(work.entry.received),
            )  # fmt: skip
            try:
                work.task = self._resolver.read(bundle, spoken)
            except BridgeError as error:
                work.issues += error.issues
                work.tally.refused += 1
        self._resolver.look_up([work.task for work in works if work.task is not None], batch)

    def _decide(self, work: Work, task: Task, batch: Draft) -> None:
        """What a record changes goes into the batch's draft, unless it is refused."""
        draft = batch.above()
        try:
            with self.timings.stage("resolve"):
                resolved = self._resolver.resolve(task, draft)
            work.issues += resolved.issues
            with self.timings.stage("validate"):
                feed = task.spoken.feed
                work.issues += self._validation.check_changes(resolved.changed, feed)
        except BridgeError as error:
            work.issues += error.issues
        if work.refused:
            work.tally.refused += 1
            self._resolver.forget()
            return
        if resolved.targets:
            stated = self._provenance(work, resolved)
            draft.put(stated, 1)
        batch.absorb(draft)

    def _finish_export(self, work: Work, transaction: Transaction) -> None:
        """Every row of a file is written: what a full export no longer brings is taken back."""
        feed, entry = work.feed, work.entry
        if feed is None or not feed.table.full_export or work.tally.refused:
            return
        at = milliseconds_of(entry.received)
        vanished = take_back_vanished(transaction, feed, entry.message_id, at, self._resolver)
        work.tally.vanished = len(vanished.let_go)

    def _in_turn(self, works: Sequence[Work], transaction: Transaction) -> list[Work]:
        """Those of `works` that nobody has finished; one process at a time gets past this.

        What another one recorded meanwhile (an import or a replay beside the service) is not
        recorded again, and what was remembered of persons is looked up anew.
        """
        if not transaction.take_turn("pipeline", self._name):
            self._resolver.forget(everything=True)
        pending = transaction.journal_pending(sorted({w.entry.message_id for w in works}))
        return [work for work in works if work.entry.message_id in pending]

    def _provenance(self, work: Work, resolved: Resolved) -> Resource:
        """Which message, read by which map, said what the record speaks of."""
        feed, record, entry = work.feed, work.record, work.entry
        if feed is None or record is None:
            raise AssertionError("a record without a feed is not resolved")
        stated = provenance(
            feed=feed.name,
            title=feed.title.get("zh") or feed.title["en"],
            message=record.digest,
            targets=resolved.targets,
            recorded=entry.received,
            structure_map=work.mapped.structure_map,
            where=record.where,
            persons=resolved.records,
            occurred=resolved.at,
        )
        if work.mapped.lineage:
            stated["extension"] = lineage_extensions(work.mapped.lineage, resolved.entries)
        return stated

    def _at_rest(self, message_id: int) -> frozenset[bytes]:
        """What of an entry of many records had been put to rest when work on it began."""
        if self._rested[0] != message_id:
            items = self._store.quarantine.of_message(message_id)
            self._rested = message_id, frozenset(item.data for item in items)
        return self._rested[1]

    def _quarantine(self, work: Work, transaction: Transaction) -> None:
        """Keep the record's own bytes with its issues, in the same transaction."""
        entry, record = work.entry, work.record
        self.timings.quarantined += 1
        log.event(
            "quarantined",
            feed=entry.feed,
            message_id=entry.message_id,
            code=leading_issue(work).code,
        )
        data, where = (record.data, record.where) if record is not None else (entry.data, "")
        if where and data in self._at_rest(entry.message_id):
            return  # worked on before a crash
        replayed = entry.source.rpartition(", ")[2].startswith("row")  # its place is known already
        transaction.quarantine_add(
            QuarantineEntry(
                entry.feed,
                data,
                sorted(work.issues, key=lambda issue: not is_refused(issue)),
                message_id=entry.message_id,
                received=entry.received,
                content_type=_ROW if where.startswith("row") else entry.content_type,
                source=", ".join(filter(None, [entry.source, "" if replayed else where])),
                control_id=entry.control_id,
            )
        )

    def _again(self, work: Work) -> Work:
        """The same record read anew: resolving had changed its Bundle in place."""
        if work.feed is None or work.record is None or work.refused:
            return work
        with self.timings.stage("parse"):
            record = next(parse(work.record.data, work.feed))
        record.where = work.record.where
        anew = self._work(work.entry, work.feed, record)
        anew.last = work.last
        return anew

    def _give_up(self, work: Work, error: Exception) -> None:
        """One record that cannot be recorded goes to quarantine; a dead database goes up."""
        if isinstance(error, BridgeError):
            work.issues += error.issues
        else:
            work.issues.append(fault(work.entry, error))
        work.mapped = Mapped(None)
        work.tally.refused += 1
        self._commit([work])

"""The pipeline: what becomes of a journal entry, in the order of this file.

    parse → transform → resolve → validate → record

Each step takes one value and gives one value: the first two are in :mod:`.reading`, the next
two in :mod:`.judging`, the last is :mod:`.recorder`.  Many records share one commit; order is
the journal's, so what is said of one patient is recorded in the order it was said.  What
fails in one record never stops another: it rests in quarantine with its bytes, its coded
issues and its place.  Every effect has an id that follows from its content, so an entry
that is worked on again after a crash changes nothing twice.

``resolve`` only reads: what a record changes is a draft until ``validate`` has judged it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence

from fhir_bridge.budget import INSTALLED, bounded
from fhir_bridge.journal import JournalMessage
from fhir_bridge.security_labels import Labeller
from fhir_bridge.store import Store
from fhir_bridge.update import UpdateRules

from .attempts import Attempts
from .feed import Feed
from .garbage import collect_between, spare_what_stays, uncollected
from .judging import Judging
from .loop import Loop
from .persons import PatientLinker
from .reading import Reading
from .recorder import Recorder
from .resolve import Resolver
from .timings import Timings
from .transform import MapLibrary, Transformer
from .unread import Unread
from .validate import ResourceCheck, Validation
from .work import Work, batches, counted

__all__ = ["Pipeline"]


class Pipeline(Loop):
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
        labeller: Labeller | None = None,
    ) -> None:
        super().__init__()
        self.timings = Timings()
        self._feeds = feeds
        self._transformer = Transformer(library)
        self._validation = Validation(validator, models_check)
        self._resolver = Resolver(linker, update_rules or UpdateRules())
        unread = Unread(library, store.unread, {feed.name: feed.hooks for feed in feeds.values()})
        self._reading = Reading(feeds, self._transformer, unread, self.timings)
        self._recorder = Recorder(
            store,
            Judging(self._resolver, self._validation, self.timings),
            self._reading.again,
            unread,
            self.timings,
            labeller=labeller,
        )
        self._attempts = Attempts(store)
        self._batch = batch
        self._working = threading.Lock()  # one batch at a time: order is kept

    def prepare(self) -> None:
        """Compile every map that a feed names, before any message comes.

        Raises BridgeError FB-2104 or FB-21xx for one that is missing or wrong.
        """
        self._transformer.compile_maps(self._feeds.values())
        self._validation.prepare(self._feeds.values())
        spare_what_stays()

    def drain(self, *, once: bool = False) -> int:
        """Work on pending entries until none is left (`once`: one batch); entries finished.

        Raises MemoryError, and what the database raises; what was worked on is pending still.
        """
        finished = 0
        with self._working, uncollected(), bounded(INSTALLED):
            while not self._stopping.is_set():
                entries = self._attempts.next(self._batch)
                if not entries:
                    self._recorder.write_counts()
                    break
                for works in batches(self._mapped(entries), self._batch):
                    self._recorder.record(works)
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

    def _mapped(self, entries: Sequence[JournalMessage]) -> Iterator[Work]:
        """The records of `entries`, parsed and transformed; the last of each is marked."""
        for entry in entries:
            yield from counted(entry, map(self._reading.transform, self._reading.parse(entry)))

    def kept(self) -> None:
        """This process is a worker that its parent starts again when it ends."""
        self._attempts.kept()

    def has_more(self) -> bool:
        """Whether more is surely, or likely, pending than the last batch took."""
        return self._attempts.more

    def recover(self) -> None:
        """The last batch took all the memory: what it was is tried alone, and then no more."""
        self._resolver.forget(everything=True)
        self._attempts.failed()

    def close(self) -> None:
        """The work is ended in order."""
        self._attempts.end()
        self._recorder.write_counts()

"""The middle steps of the pipeline, ``resolve`` and ``validate``: what of a record is to be written.

Nothing is written here.  What a record changes goes into a draft of its own, which the draft of
the batch takes over when the record is sound; a record that is refused leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from fhir_bridge.audit import provenance
from fhir_bridge.database import milliseconds_of
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import Resource
from fhir_bridge.update import milliseconds

from .draft import Draft
from .entries import Spoken, Task
from .lineage import lineage_extensions
from .resolve import Resolver
from .resolved import Resolved
from .timings import Timings
from .validate import Validation
from .work import Work

__all__ = ["Judging"]


class Judging:
    """Resolves and validates the records of a batch, one after the other."""

    def __init__(self, resolver: Resolver, validation: Validation, timings: Timings) -> None:
        self.resolver = resolver
        self._validation = validation
        self._timings = timings

    def judge(self, works: Sequence[Work], batch: Draft) -> None:
        """What the records of `works` change, put into `batch`; refused ones have their issues."""
        with self._timings.stage("resolve"):
            self._look_up(works, batch)
        for work in works:
            if work.task is not None:
                self._decide(work, work.task, batch)

    def _look_up(self, works: Sequence[Work], batch: Draft) -> None:
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
                work.task = self.resolver.read(bundle, spoken)
            except BridgeError as error:
                work.refuse(error.issues)
        self.resolver.look_up([work.task for work in works if work.task is not None], batch)

    def _decide(self, work: Work, task: Task, batch: Draft) -> None:
        """What a record changes goes into the batch's draft, unless it is refused."""
        draft = batch.above()
        try:
            with self._timings.stage("resolve"):
                resolved = self.resolver.resolve(task, draft)
            work.issues += resolved.issues
            with self._timings.stage("validate"):
                feed = task.spoken.feed
                work.issues += self._validation.check_changes(resolved.changed, feed)
        except BridgeError as error:
            work.issues += error.issues
        if work.refused:
            work.tally.refused += 1
            self.resolver.forget()
            return
        if resolved.targets:
            draft.put(_provenance(work, task, resolved), 1)
        batch.absorb(draft)


def _provenance(work: Work, task: Task, resolved: Resolved) -> Resource:
    """Which message, read by which map, said what the record speaks of."""
    feed, spoken, entry = task.spoken.feed, task.spoken, work.entry
    stated = provenance(
        feed=feed.name,
        title=feed.title.get("zh") or feed.title["en"],
        message=spoken.digest(),
        targets=resolved.targets,
        recorded=entry.received,
        structure_map=work.mapped.structure_map,
        hooks=feed.hooks,
        where=work.record.where if work.record is not None else "",
        persons=resolved.records,
        occurred=milliseconds(resolved.at),
    )
    if work.mapped.lineage:
        stated["extension"] = lineage_extensions(work.mapped.lineage, resolved.entries)
    return stated

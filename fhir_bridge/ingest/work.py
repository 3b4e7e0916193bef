"""A record on its way through the pipeline, and how many of them go together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from fhir_bridge import clock, log
from fhir_bridge.errors import Issue
from fhir_bridge.journal import JournalMessage

from .entries import Task
from .feed import Feed
from .parse import Record
from .transform import Mapped, is_refused
from .unread import Left

__all__ = ["Tally", "Work", "batches", "counted", "fault", "leading_issue", "status"]

_TOLD = 10  # so many warnings are named beside a message


@dataclass(slots=True)
class Tally:
    """How many records of an entry there were, how many of them were refused or warned of."""

    records: int = 0
    refused: int = 0
    warned: int = 0
    vanished: int = 0  # what a full export no longer brought


@dataclass(slots=True)
class Work:
    """One record on its way: the Bundle it became, or the issues that stopped it."""

    entry: JournalMessage  # the journal entry it came in
    feed: Feed | None
    record: Record | None
    mapped: Mapped = field(default_factory=lambda: Mapped(None))
    issues: list[Issue] = field(default_factory=list)
    task: Task | None = None  # the Bundle with its entries named
    left: list[Left] = field(default_factory=list)  # what no rule of the map took
    tally: Tally = field(default_factory=Tally)
    last: bool = False  # the entry's last record: with it the entry is done

    @property
    def refused(self) -> bool:
        """Whether the record must stay out."""
        return any(is_refused(issue) for issue in self.issues)

    def refuse(self, issues: Sequence[Issue]) -> None:
        """The record must stay out, for `issues` that were found after it was mapped."""
        self.issues += issues
        self.tally.refused += 1

    def let_go(self) -> None:
        """The record is finished: nothing of it is needed any more."""
        self.record, self.mapped, self.task, self.left = None, Mapped(None), None, []


def counted(entry: JournalMessage, works: Iterable[Work]) -> Iterator[Work]:
    """The `works` of one entry with their common tally; the last is marked.

    An entry of no record is one work without any.
    """
    earlier: Work | None = None
    tally = Tally()
    for work in works:
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


def batches(works: Iterator[Work], size: int) -> Iterator[list[Work]]:
    """`works` in lists of at most `size`, each given as soon as it is full."""
    batch: list[Work] = []
    for work in works:
        batch.append(work)
        if len(batch) >= size:
            yield batch
            batch = []
    if batch:
        yield batch


def status(work: Work) -> tuple[Literal["done", "quarantined", "ignored"], str]:
    """Status and detail of an entry, by its records; the last one is at hand."""
    records, refused = work.tally.records, work.tally.refused
    if records <= 1:
        if work.refused:
            return "quarantined", leading_issue(work).code
        return ("done" if work.mapped.bundle is not None else "ignored"), _warnings(work)
    detail = f"{refused} of {records} in quarantine" if refused else f"{records} records"
    if work.tally.warned:
        detail += f", {work.tally.warned} with warnings"
    if work.tally.vanished:
        detail += f", {work.tally.vanished} taken back"
    return ("quarantined" if refused == records else "done"), detail


def _warnings(work: Work) -> str:
    """Code and place of what a stored record was warned of (``FB-2126 PV1-44``), each once."""
    told = dict.fromkeys(
        f"{issue.code} {issue.where}".rstrip()
        for issue in work.issues
        if issue.severity == "warning"
    )
    texts = list(told)
    more = len(texts) - _TOLD
    return "; ".join([*texts[:_TOLD], *([f"{more} more"] if more > 0 else [])])


def leading_issue(work: Work) -> Issue:
    """The issue that stands for all of a refused record."""
    return next((issue for issue in work.issues if is_refused(issue)), work.issues[0])


def fault(entry: JournalMessage, error: Exception) -> Issue:
    """An unexpected fault as an issue; the log holds its kind, never its data."""
    reference = clock.fresh_id()[:8]
    log.event(
        "pipeline_fault",
        code="FB-9001",
        reference=reference,
        message_id=entry.message_id,
        kind=type(error).__name__,
    )
    return Issue("FB-9001", "error", details={"reference": reference})

"""The journal's door: what arrived is durable before anybody is told so.

Every inbound message, document or file is one entry, stored with feed, time and digest
in the record's own database.  ``append`` returns when the entries are on disk: one
commit for all it is given, so that many messages share one flush and a single one never
waits for company.  A repeat (same feed, control id and digest) is known again and not
worked on twice.  What is refused at the door rests in quarantine with its issues.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Sequence

from fhir_bridge import clock, log
from fhir_bridge.database import is_storage_fault
from fhir_bridge.errors import BridgeError, Issue
from fhir_bridge.journal import Appended, JournalEntry
from fhir_bridge.store import Store

from .arrival import Arrival
from .refusals import Refusal, Refusals

__all__ = ["Arrival", "Journal", "content_digest", "unavailable"]


class Journal:
    """Durable arrival for all feeds; `arrived` is called after each append (wakes the pipeline)."""

    def __init__(self, store: Store, arrived: Callable[[], None] = lambda: None) -> None:
        self._store = store
        self._arrived = arrived
        self._refusals = Refusals(store)

    def append(self, arrivals: Sequence[Arrival]) -> list[Appended]:
        """Make `arrivals` durable, in one commit; one answer for each, in order."""
        received = clock.instant()
        appended = self._store.journal.append(
            [
                JournalEntry(
                    feed=each.feed,
                    data=each.data,
                    digest=hashlib.sha256(each.data).digest(),
                    control_id=each.control_id,
                    received=received,
                    content_type=each.content_type,
                    source=each.source,
                )
                for each in arrivals
            ]
        )
        if any(not each.repeated for each in appended):
            self._arrived()
        return appended

    def refuse(self, arrival: Arrival, issues: Sequence[Issue]) -> None:
        """Keep what was refused, with the reasons, so that people can see it."""
        self.refuse_all([Refusal(arrival, issues)])

    def refuse_all(self, refusals: Sequence[Refusal]) -> None:
        """The same for several, in one commit; equal refusals are counted (see `.refusals`)."""
        self._refusals.keep(refusals)

    def count_refusals(self, *, now: bool = False) -> None:
        """Write the counts of equal refusals that are due (with `now`: all)."""
        self._refusals.write_counts(now=now)


def content_digest(data: bytes) -> str:
    """The digest that names `data`: SHA-256, hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def unavailable(error: Exception) -> Issue:
    """Why an arrival could not be kept: what the storage says (FB-5013 to FB-5017), else FB-6101."""
    if isinstance(error, BridgeError) and is_storage_fault(error):
        return error.issues[0]
    log.event("journal_fault", level=logging.ERROR, code="FB-6101", kind=type(error).__name__)
    return Issue("FB-6101")

"""The door of the journal: what arrived is durable before anybody is told so.

Every inbound message, document or file is one entry, stored with feed, time and digest
in the record's own database.  ``append`` returns when the entries are on disk: one
commit for all it is given, so that many messages share one flush and a single one never
waits for company.  A repeat (same feed, control id and digest) is known again and not
worked on twice.  What is refused at the door rests in quarantine with its issues.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace

from fhir_bridge import clock, log
from fhir_bridge.database import is_storage_fault
from fhir_bridge.errors import BridgeError, Issue
from fhir_bridge.journal import Appended, Message, Refusal
from fhir_bridge.store import Store

from .refusals import Refusals

__all__ = ["Intake", "unavailable"]


class Intake:
    """Durable arrival for all feeds; `arrived` is called after each append (wakes the pipeline)."""

    def __init__(self, store: Store, arrived: Callable[[], None] = lambda: None) -> None:
        self._store = store
        self._arrived = arrived
        self._refusals = Refusals(store)

    def append(self, messages: Sequence[Message]) -> list[Appended]:
        """Make `messages` durable, in one commit, as received now; one answer for each, in order."""
        received = clock.instant()
        appended = self._store.journal.append(
            [replace(each, received=received) for each in messages]
        )
        if any(not each.repeated for each in appended):
            self._arrived()
        return appended

    def refuse(self, message: Message, issues: Sequence[Issue]) -> None:
        """Keep what was refused, with the reasons, so that people can see it."""
        self.refuse_all([Refusal(message, issues)])

    def refuse_all(self, refusals: Sequence[Refusal]) -> None:
        """The same for several, in one commit; equal refusals are counted (see `.refusals`)."""
        self._refusals.keep(refusals)

    def count_refusals(self, *, now: bool = False) -> None:
        """Write the counts of equal refusals that are due (with `now`: all)."""
        self._refusals.write_counts(now=now)


def unavailable(error: Exception) -> Issue:
    """Why an arrival could not be kept: what the storage says (FB-5013 to FB-5017), else FB-6101."""
    if isinstance(error, BridgeError) and is_storage_fault(error):
        return error.issues[0]
    log.event("journal_fault", level=logging.ERROR, code="FB-6101", kind=type(error).__name__)
    return Issue("FB-6101")

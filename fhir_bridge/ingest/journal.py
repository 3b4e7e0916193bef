"""The journal's door: what arrived is durable before anybody is told so.

Every inbound message, document or file is one entry, stored with feed, time and digest
in the record's own database.  ``append`` returns when the entries are on disk: one
commit for all it is given, so that many messages share one flush and a single one never
waits for company.  A repeat (same feed, control id and digest) is known again and not
worked on twice.  What is refused at the door rests in quarantine with its issues.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fhir_bridge import clock
from fhir_bridge.errors import Issue
from fhir_bridge.store import Appended, JournalEntry, QuarantineEntry, Store

__all__ = ["Arrival", "Journal", "content_digest"]


_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Arrival:
    """Something that came: raw bytes as sent, MSH-10 if it has one, and where from."""

    feed: str
    data: bytes
    control_id: str = ""
    content_type: str = ""
    source: str = ""  # a file's name, a peer's address, a URL: shown, never trusted


class Journal:
    """Durable arrival for all feeds; `arrived` is called after each append (wakes the pipeline)."""

    def __init__(self, store: Store, arrived: Callable[[], None] = lambda: None) -> None:
        self._store = store
        self._arrived = arrived
        self._refused: dict[tuple[str, str], None] = {}  # the latest, oldest first

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
        """Keep what was refused, with the reasons, so that people can see it.

        A sender that repeats what was refused (many do so for ever) adds nothing.
        """
        key = arrival.feed, content_digest(arrival.data)
        if key in self._refused:
            return
        self._refused[key] = None
        if len(self._refused) > _REMEMBERED:
            del self._refused[next(iter(self._refused))]
        self._store.quarantine.add(
            QuarantineEntry(
                arrival.feed,
                arrival.data,
                issues,
                content_type=arrival.content_type,
                source=arrival.source,
                control_id=arrival.control_id,
            )
        )


def content_digest(data: bytes) -> str:
    """The digest that names `data`: SHA-256, hexadecimal."""
    return hashlib.sha256(data).hexdigest()

"""What is refused rests in quarantine: the record's own bytes, its issues and its place."""

from __future__ import annotations

from fhir_bridge import log
from fhir_bridge.journal import Message, Quarantine, Refusal
from fhir_bridge.store import Transaction

from .timings import Timings
from .transform import is_refused
from .work import Work, leading_issue

__all__ = ["SetAside"]

_ROW = "application/json"  # how a row of a table is kept


class SetAside:
    """Puts refused records into quarantine; knows what of an entry rests there already."""

    def __init__(self, quarantine: Quarantine, timings: Timings) -> None:
        self._quarantine = quarantine
        self._timings = timings
        self._at_rest: tuple[int, frozenset[bytes]] = (0, frozenset())

    def keep(self, work: Work, transaction: Transaction) -> None:
        """Keep the record's own bytes with its issues, in the same transaction."""
        entry, record = work.entry, work.record
        self._timings.quarantined += 1
        log.event(
            "quarantined",
            feed=entry.feed,
            message_id=entry.message_id,
            code=leading_issue(work).code,
        )
        data, where = (record.data, record.where) if record is not None else (entry.data, "")
        if where and data in self._of_entry(entry.message_id):
            return  # worked on before a crash
        replayed = entry.source.rpartition(", ")[2].startswith("row")  # its place is known already
        transaction.quarantine_add(
            Refusal(
                Message(
                    entry.feed,
                    data,
                    entry.control_id,
                    _ROW if where.startswith("row") else entry.content_type,
                    ", ".join(filter(None, [entry.source, "" if replayed else where])),
                    entry.received,
                ),
                sorted(work.issues, key=lambda issue: not is_refused(issue)),
                message_id=entry.message_id,
            )
        )

    def _of_entry(self, message_id: int) -> frozenset[bytes]:
        """What of an entry of many records had been put to rest when work on it began."""
        if self._at_rest[0] != message_id:
            items = self._quarantine.of_message(message_id)
            self._at_rest = message_id, frozenset(item.data for item in items)
        return self._at_rest[1]

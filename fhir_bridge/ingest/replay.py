"""Replay: what rests in quarantine is tried again, for example after a map was mended.

An item is recorded whole or not at all.  What is recorded leaves quarantine; what still
fails stays as it is, and the new issues are handed back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from fhir_bridge.errors import Issue
from fhir_bridge.store import JournalMessage, Quarantined, Store

from .pipeline import Pipeline

__all__ = ["Replay", "Replayed"]


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of one item: recorded when `issues` is empty."""

    item_id: int
    feed: str
    issues: list[Issue] = field(default_factory=list)

    @property
    def recorded(self) -> bool:
        """Whether it is in the record now."""
        return not self.issues


class Replay:
    """Tries quarantined items and whole messages again."""

    def __init__(self, store: Store, pipeline: Pipeline) -> None:
        self._store = store
        self._pipeline = pipeline

    def items(self, item_ids: Iterable[int]) -> list[Replayed]:
        """Try items of the quarantine again, in the order given.  Raises BridgeError FB-5202."""
        return [self._try(self._store.quarantine.get(item_id)) for item_id in item_ids]

    def messages(self, message_ids: Iterable[int]) -> list[Replayed]:
        """Try journal messages again: what of them is in quarantine, else the whole message.

        A message that was recorded is simply worked on again (its effect is the same, or
        what a mended map makes of it).  Raises BridgeError FB-5201.
        """
        results: list[Replayed] = []
        for message_id in message_ids:
            items = self._store.quarantine.of_message(message_id)
            if items:
                results += [self._try(item) for item in items]
                continue
            message = self._store.journal.get(message_id)
            results.append(Replayed(0, message.feed, self._pipeline.redo(message)))
        return results

    def _try(self, item: Quarantined) -> Replayed:
        issues = self._pipeline.redo(_as_message(item))
        if not issues:
            self._store.quarantine.remove(item.item_id)
            self._mark_done(item)
        return Replayed(item.item_id, item.feed, issues)

    def _mark_done(self, item: Quarantined) -> None:
        """The message is done when nothing of it is left in quarantine."""
        if item.message_id and not self._store.quarantine.of_message(item.message_id):
            with self._store.transaction() as transaction:
                transaction.journal_done(item.message_id, "done", "replayed")


def _as_message(item: Quarantined) -> JournalMessage:
    return JournalMessage(
        message_id=item.message_id or 0,
        feed=item.feed,
        control_id=item.control_id,
        digest=b"",
        received=item.received,
        content_type=item.content_type,
        source=item.source,
        status="quarantined",
        detail="",
        acknowledgement=None,
        data=item.data,
    )

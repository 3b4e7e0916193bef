"""Who says something of a person, when, and in which message."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Saying"]


@dataclass(frozen=True, slots=True)
class Saying:
    """The circumstances of a statement.

    `feed` is the interface it came by and `source` whose words it is (institution and
    system; several feeds may be of one source); `at` is the stamp of the event
    (`fhir_bridge.update.stamp`).  `message` gives the digest of the message, for the link log; `event` is the type
    of the message ("ADT^A08", "" for a row of a table); `level` is 1 for a mere mention; `has_marks` is False
    where it is known that nothing is taken back or supposed.
    """

    feed: str
    source: str = ""
    at: int = 0
    message: Callable[[], str] = str
    event: str = ""
    level: int = 0
    has_marks: bool = True

    @property
    def speaker(self) -> str:
        """The source, or the feed where none is named."""
        return self.source or self.feed

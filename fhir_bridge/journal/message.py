"""One message as it came, before anything is made of it: what every door hands on.

A message, a document, a file or a page of an answer; it is named by its content.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from fhir_bridge.errors import Issue

__all__ = ["Message", "Refusal"]


@dataclass(frozen=True, slots=True)
class Message:
    """Raw bytes as sent, MSH-10 if they have one, and where from.

    `source` is a file's name, a peer's address, a URL: shown, never trusted.  `received` is a
    FHIR instant, "" for now.
    """

    feed: str
    data: bytes
    control_id: str = ""
    content_type: str = ""
    source: str = ""
    received: str = ""

    @property
    def digest(self) -> bytes:
        """SHA-256 of the bytes: a repeat of it, under the same feed and control id, is known."""
        return hashlib.sha256(self.data).digest()


@dataclass(frozen=True, slots=True)
class Refusal:
    """What is refused and why, the leading issue first.

    `peer` is the address it came from, `message_id` its number where it stands in the journal.
    """

    message: Message
    issues: Sequence[Issue]
    peer: str = ""
    message_id: int | None = None

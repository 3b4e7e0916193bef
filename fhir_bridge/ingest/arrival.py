"""What came in at one of the doors, before anything is made of it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Arrival"]


@dataclass(frozen=True, slots=True)
class Arrival:
    """Something that came: raw bytes as sent, MSH-10 if it has one, and where from."""

    feed: str
    data: bytes
    control_id: str = ""
    content_type: str = ""
    source: str = ""  # a file's name, a peer's address, a URL: shown, never trusted

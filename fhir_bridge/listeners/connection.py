"""One MLLP connection: its framer, its unsent answers, its clock.

Bounded on every side: the framer holds one frame at most, unsent answers beyond
:data:`MOST_UNSENT` stop the reading (TCP then holds the sender back), and time limits
end what never ends.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass, field

from fhir_bridge import hl7v2
from fhir_bridge.ingest import Feed

__all__ = ["MOST_UNSENT", "Connection"]

MOST_UNSENT = 1024 * 1024  # bytes
ENDING_SECONDS = 1.0  # how long the CR after FS is waited for
_CHUNK = 256 * 1024


@dataclass(slots=True, eq=False)
class Connection:
    """State of one peer; `touched` and `begun` are monotonic seconds."""

    socket: socket.socket
    feed: Feed
    peer: str
    touched: float
    framer: hl7v2.Framer
    begun: float | None = None
    unsent: bytearray = field(default_factory=bytearray)
    closing: bool = False
    expired: bool = False
    strays: int = 0

    @property
    def readable(self) -> bool:
        """Whether more may be read: answers are being taken by the peer."""
        return not self.closing and len(self.unsent) <= MOST_UNSENT

    def receive(self, now: float) -> list[hl7v2.Event]:
        """What one read brings; marks the connection for closing at its end."""
        try:
            data = self.socket.recv(_CHUNK)
        except BlockingIOError:
            return []
        except OSError:
            data = b""
        self.touched = now
        if not data:
            self.closing = True
            return self.framer.close()
        events = self.framer.feed(data)
        if not self.framer.open_frame:
            self.begun = None
        elif events or self.begun is None:
            self.begun = now
        return events

    def overdue(self, now: float) -> list[hl7v2.Event]:
        """Events that silence brings: a frame that lacks only its CR, one that never ends."""
        if self.framer.ending and now - self.touched >= ENDING_SECONDS:
            self.begun = None
            return self.framer.idle()
        listener = self.feed.listener
        if self.begun is not None and now - self.begun > listener.frame_seconds:
            self.closing = self.expired = True
            return self.framer.close()
        if now - self.touched > listener.idle_seconds:
            self.closing = True
        return []

    def send(self, data: bytes = b"") -> None:
        """Send `data` after what is unsent, as far as the peer takes it now."""
        self.unsent += data
        try:
            while self.unsent:
                del self.unsent[: self.socket.send(self.unsent)]
        except BlockingIOError:
            return
        except OSError:
            self.unsent.clear()
            self.closing = True

"""One MLLP connection: its framer, its unsent answers, its clock.

https://www.hl7.org/documentcenter/public/wg/inm/mllp_transport_specification.PDF

Bounded on every side: the framer holds one frame at most, events that are not worked on
yet and unsent answers beyond :data:`MAX_UNSENT` stop the reading (TCP then holds the
sender back), and time limits end what never ends and what nobody reads.
"""

from __future__ import annotations

import socket
from collections import deque
from dataclasses import dataclass, field

from fhir_bridge import hl7v2
from fhir_bridge.ingest import Feed

__all__ = ["MAX_UNSENT", "Connection"]

MAX_UNSENT = 1024 * 1024  # bytes
ENDING_SECONDS = 1.0  # how long the CR after FS is waited for
LINGER_SECONDS = 1.0  # how long a peer may take to notice that the line is closed
IDLE_SECONDS = 1.0  # a connection that was used so lately does not give way to another
STALLED_SECONDS = 5.0  # nor one in whose open frame bytes came so lately
_CHUNK = 64 * 1024


@dataclass(slots=True, eq=False)
class Connection:
    """State of one peer; `touched`, `begun` and `unread_since` are monotonic seconds."""

    socket: socket.socket
    feed: Feed
    peer: str
    touched: float
    framer: hl7v2.Framer
    begun: float | None = None
    unsent: bytearray = field(default_factory=bytearray)
    unread_since: float = 0.0  # when the peer last took something of what is unsent
    backlog: deque[hl7v2.Event] = field(default_factory=deque)
    suspect: bool = False  # the last frame was refused
    closing: bool = False  # no more is taken from the peer
    gone: bool = False  # the peer has closed its side
    expired: bool = False  # a frame took too long
    lingers_until: float | None = None
    strays: int = 0

    @property
    def readable(self) -> bool:
        """Whether to read on: answers are being taken, or the last one is on its way."""
        if self.closing:
            return self.lingers_until is not None and not self.gone
        return len(self.unsent) <= MAX_UNSENT and not self.backlog

    @property
    def host(self) -> str:
        """The peer's address without its port."""
        return self.peer.rpartition(":")[0]

    def is_idle(self, now: float) -> bool:
        """Whether the connection may give way: nothing is under way, or it has come to a stop."""
        if self.unsent or self.backlog or self.closing:
            return False
        still = now - self.touched
        return still > (STALLED_SECONDS if self.framer.open_frame else IDLE_SECONDS)

    def is_unread(self, now: float) -> bool:
        """Whether the peer has read none of its answers for too long."""
        return bool(self.unsent) and now - self.unread_since > self.feed.listener.answer_seconds

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
            self.closing = self.gone = True
            return self.framer.close()
        if self.closing:
            return []  # read only so that our last answer is not lost with what is unread
        events = self.framer.feed(data)
        if not self.framer.open_frame:
            self.begun = None
        elif events or self.begun is None:
            self.begun = now
        return events

    def overdue(self, now: float) -> list[hl7v2.Event]:
        """Events that silence brings: a frame that lacks only its CR, one that never ends."""
        if self.closing:
            return []
        if self.backlog:  # it is we who are slow
            self.touched, self.begun = now, self.begun and now
            return []
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

    def send(self, now: float, data: bytes = b"") -> None:
        """Send `data` after what is unsent, as far as the peer takes it now."""
        if not self.unsent:
            self.unread_since = now
        self.unsent += data
        try:
            while self.unsent:
                del self.unsent[: self.socket.send(self.unsent)]
                self.unread_since = now
        except BlockingIOError:
            return
        except OSError:
            self.abandon()

    def abandon(self) -> None:
        """Nothing can be said to the peer any more."""
        self.unsent.clear()
        self.closing = self.gone = True

    def finished(self, now: float) -> bool:
        """Whether the socket may be closed.

        Our side is shut first, and what the peer still sends is thrown away for a while:
        closing over unread bytes would make TCP drop the answer that says why.
        """
        if not self.closing or self.unsent or self.backlog:
            return False
        if self.gone:
            return True
        if self.lingers_until is None:
            self.lingers_until = now + LINGER_SECONDS
            try:
                self.socket.shutdown(socket.SHUT_WR)
            except OSError:
                return True
        return now >= self.lingers_until

"""The MLLP server: many sockets, one loop, one commit a round.

https://www.hl7.org/documentcenter/public/wg/inm/mllp_transport_specification.PDF

One thread waits for all sockets of all feeds.  What a round of reading brings is parsed,
journalled in *one* commit and answered; a message that comes alone is committed at
once, many that come together share the flush.  While a commit runs nothing is read, so
senders are held back by TCP and not by memory.  An answer is sent only after the
journal is durable; a failing journal is answered AR, and the sender keeps its message.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fhir_bridge import hl7v2, log
from fhir_bridge.errors import Issue
from fhir_bridge.ingest import Arrival, Feed, Journal

from .admission import Admission, admit, answer
from .connection import Connection

__all__ = ["MllpServer"]

_CONTENT_TYPE = "application/hl7-v2"
_SWEEP_SECONDS = 0.25
_MOST_STRAYS = 65536  # bytes outside frames before a peer is taken for something else


@dataclass(frozen=True, slots=True)
class _Taken:
    """One frame of this round and what is to be done with it."""

    connection: Connection
    payload: bytes
    admission: Admission


class MllpServer:
    """Listens for every feed of kind ``mllp``; :meth:`start` binds, :meth:`stop` ends cleanly."""

    def __init__(self, feeds: Iterable[Feed], journal: Journal, *, host: str = "127.0.0.1") -> None:
        self._feeds = [feed for feed in feeds if feed.listener.kind == "mllp"]
        self._journal = journal
        self._host = host
        self._selector = selectors.DefaultSelector()
        self._connections: set[Connection] = set()
        self._listening: dict[str, socket.socket] = {}
        self._wakers: tuple[socket.socket, socket.socket] | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mllp", daemon=True)

    @property
    def addresses(self) -> Mapping[str, tuple[str, int]]:
        """Address of each feed, by name (port 0 in the feed means: any free one)."""
        return {name: found.getsockname()[:2] for name, found in self._listening.items()}

    def start(self) -> None:
        """Bind every port and begin; OSError when a port is taken."""
        for feed in self._feeds:
            listening = socket.create_server((self._host, feed.listener.port), backlog=128)
            listening.setblocking(False)
            self._listening[feed.name] = listening
            self._selector.register(listening, selectors.EVENT_READ, feed)
        self._wakers = socket.socketpair()
        self._selector.register(self._wakers[1], selectors.EVENT_READ, None)
        for name, (host, port) in self.addresses.items():
            log.event("mllp_listening", feed=name, host=host, port=port)
        self._thread.start()

    def stop(self, timeout: float = 10) -> None:
        """Take no more, answer what was read, close everything."""
        if self._wakers is None:
            return
        waker, woken = self._wakers
        self._wakers = None
        self._stopping.set()
        waker.send(b"x")
        self._thread.join(timeout)
        waker.close()
        woken.close()

    def _run(self) -> None:
        swept = time.monotonic()
        while not self._stopping.is_set():
            try:
                self._round()
                if time.monotonic() - swept > _SWEEP_SECONDS:
                    swept = time.monotonic()
                    self._sweep(swept)
            except Exception:  # the loop serves every sender: it must outlive a fault
                log.event("mllp_fault", code="FB-9001")
        for listening in self._listening.values():
            listening.close()
        for connection in list(self._connections):
            self._close(connection)
        self._selector.close()

    def _round(self) -> None:
        """Read what is there, take the frames together, answer."""
        taken: list[_Taken] = []
        touched: list[Connection] = []
        for key, ready in self._selector.select(_SWEEP_SECONDS):
            if isinstance(key.data, Feed):
                self._accept(key.data)
            elif isinstance(key.data, Connection):
                connection = key.data
                if ready & selectors.EVENT_WRITE:
                    connection.send()
                if ready & selectors.EVENT_READ:
                    self._collect(connection, connection.receive(time.monotonic()), taken)
                touched.append(connection)
        self._take(taken)
        for connection in touched:
            self._watch(connection)

    def _accept(self, feed: Feed) -> None:
        with contextlib.suppress(OSError):
            accepted, address = self._listening[feed.name].accept()
            alike = sum(other.feed is feed for other in self._connections)
            if alike >= feed.listener.connections:
                log.event("mllp_full", feed=feed.name, count=alike)
                accepted.close()
                return
            accepted.setblocking(False)
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            framer = hl7v2.Framer(feed.listener.largest_frame)
            peer = f"{address[0]}:{address[1]}"
            connection = Connection(accepted, feed, peer, time.monotonic(), framer)
            self._connections.add(connection)
            self._selector.register(accepted, selectors.EVENT_READ, connection)

    def _collect(
        self, connection: Connection, events: list[hl7v2.Event], taken: list[_Taken]
    ) -> None:
        """Frames into `taken`; what is no frame is answered or counted here."""
        for event in events:
            match event:
                case hl7v2.Frame(payload):
                    admission = admit(payload, connection.feed)
                    taken.append(_Taken(connection, payload, admission))
                case hl7v2.Torn(payload, restarted):
                    seconds = str(connection.feed.listener.frame_seconds)
                    code = "FB-1134" if connection.expired else "FB-1131"
                    issue = Issue(code, details={"seconds": seconds})
                    if not restarted and not connection.closing:
                        taken.append(_Taken(connection, payload, Admission(issues=[issue])))
                    log.event("mllp_torn", feed=connection.feed.name, code=issue.code)
                case hl7v2.Oversize(beginning):
                    limit = {"limit": str(connection.feed.listener.largest_frame)}
                    issue = Issue("FB-1132", details=limit)
                    taken.append(_Taken(connection, beginning, Admission(issues=[issue])))
                    connection.closing = True
                case hl7v2.Stray(count):
                    connection.strays += count
                    log.event("mllp_stray", feed=connection.feed.name, code="FB-1133", bytes=count)
                    connection.closing = connection.closing or connection.strays > _MOST_STRAYS

    def _take(self, taken: list[_Taken]) -> None:
        """Journal what is accepted, in one commit; then answer every frame in order."""
        arrivals = [
            Arrival(
                each.connection.feed.name,
                part,
                message.control_id,
                _CONTENT_TYPE,
                each.connection.peer,
            )
            for each in taken
            if each.admission.accepted
            for part, message in zip(each.admission.parts, each.admission.messages, strict=True)
        ]
        trouble: list[Issue] = []
        if arrivals:
            try:
                self._journal.append(arrivals)
            except Exception:  # whatever the database says, the sender must keep its message
                log.event("journal_unavailable", code="FB-6101", count=len(arrivals))
                trouble = [Issue("FB-6101")]
        for each in taken:
            self._answer(each, trouble if each.admission.accepted else [])

    def _answer(self, taken: _Taken, trouble: list[Issue]) -> None:
        connection, admission = taken.connection, taken.admission
        if admission.silent:
            return
        if admission.issues:
            self._refuse(connection, taken.payload, admission)
        reply = answer(admission, taken.payload, connection.feed, trouble)
        if reply is not None and connection in self._connections:
            connection.send(hl7v2.frame(reply))

    def _refuse(self, connection: Connection, payload: bytes, admission: Admission) -> None:
        feed = connection.feed.name
        log.event("mllp_refused", feed=feed, code=admission.issues[0].code)
        arrival = Arrival(feed, payload, "", _CONTENT_TYPE, connection.peer)
        try:
            self._journal.refuse(arrival, admission.issues)
        except Exception:  # the answer says no in any case
            log.event("quarantine_unavailable", feed=feed, code="FB-6101")

    def _sweep(self, now: float) -> None:
        """Time limits: frames that lack an end, peers that are silent."""
        taken: list[_Taken] = []
        for connection in self._connections:
            self._collect(connection, connection.overdue(now), taken)
        self._take(taken)
        for connection in list(self._connections):
            self._watch(connection)

    def _watch(self, connection: Connection) -> None:
        """Wait for what the connection needs next, or let it go."""
        if connection not in self._connections:
            return
        if connection.finished(time.monotonic()):
            self._close(connection)
            return
        wanted = (selectors.EVENT_READ if connection.readable else 0) | (
            selectors.EVENT_WRITE if connection.unsent else 0
        )
        if self._selector.get_key(connection.socket).events != wanted:
            self._selector.modify(connection.socket, wanted, connection)

    def _close(self, connection: Connection) -> None:
        self._connections.discard(connection)
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(connection.socket)
        connection.socket.close()

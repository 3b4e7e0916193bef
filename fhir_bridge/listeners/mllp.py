"""The MLLP server: many sockets, one loop, one commit a round.

https://www.hl7.org/documentcenter/public/wg/inm/mllp_transport_specification.PDF

One thread waits for all sockets of all feeds.  What a round looks at (:mod:`.turns`) is
parsed, journalled in *one* commit and answered; a message that comes alone is committed at
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
from collections.abc import Iterable, Mapping, Sequence

from fhir_bridge import hl7v2, log
from fhir_bridge.errors import BridgeError, Issue
from fhir_bridge.ingest import Feed, Intake, unavailable
from fhir_bridge.journal import Message, Refusal

from .admission import answer
from .connection import Connection
from .crowding import has_room, who_gives_way
from .event import Taken, look
from .notes import Notes
from .turns import Turns

__all__ = ["MllpServer"]

_CONTENT_TYPE = "application/hl7-v2"
_SWEEP_SECONDS = 0.25


class MllpServer:
    """Listens for every feed of kind ``mllp``; :meth:`start` binds, :meth:`stop` ends cleanly."""

    def __init__(self, feeds: Iterable[Feed], intake: Intake, *, host: str = "127.0.0.1") -> None:
        self._feeds = [feed for feed in feeds if feed.listener.kind == "mllp"]
        self._intake = intake
        self._host = host
        self._selector = selectors.DefaultSelector()
        self._connections: set[Connection] = set()
        self._turns = Turns()
        self._notes = Notes()
        self._spent = 0.0  # seconds on refusals in this round
        self._listening: dict[str, socket.socket] = {}
        self._wakers: tuple[socket.socket, socket.socket] | None = None
        self._trouble: list[Issue] = []  # why the last messages could not be kept
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mllp", daemon=True)

    @property
    def addresses(self) -> Mapping[str, tuple[str, int]]:
        """Address of each feed, by name (port 0 in the feed means: any free one)."""
        return {name: found.getsockname()[:2] for name, found in self._listening.items()}

    @property
    def conditions(self) -> Mapping[str, Sequence[Issue]]:
        """What is wrong with each feed now, by name; empty where all is well."""
        ended = self._thread.ident is not None and not self._thread.is_alive()
        return {
            feed.name: [Issue("FB-6118", details={"feed": feed.name})] if ended else self._trouble
            for feed in self._feeds
        }

    def start(self) -> None:
        """Bind every port and begin.  Raises BridgeError FB-9004 when a port cannot be had."""
        for feed in self._feeds:
            try:
                listening = socket.create_server((self._host, feed.listener.port), backlog=128)
            except OSError as error:
                raise BridgeError(
                    "FB-9004", host=self._host, port=feed.listener.port,
                    what=f"the feed {feed.name}", option=f"listener.port of the feed {feed.name}",
                    reason=error.strerror or error,
                ) from error  # fmt: skip
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
        with contextlib.suppress(Exception):
            self._take(self._looked_at(self._turns.all()))
            self._intake.count_refusals(now=True)
        for connection in list(self._connections):
            self._close(connection)
        self._selector.close()

    def _round(self) -> None:
        """Read what is there, take the frames whose turn it is together, answer."""
        touched: set[Connection] = set()
        for key, ready in self._selector.select(
            self._turns.pause(time.monotonic(), _SWEEP_SECONDS)
        ):
            if isinstance(key.data, Feed):
                self._accept(key.data)
            elif isinstance(key.data, Connection):
                connection, now = key.data, time.monotonic()
                if ready & selectors.EVENT_WRITE:
                    connection.send(now)
                if ready & selectors.EVENT_READ:
                    self._turns.add(connection, connection.receive(now))
                touched.add(connection)
        taken = self._looked_at(self._turns.round(time.monotonic()))
        self._take(taken)
        for connection in touched | {each.connection for each in taken}:
            self._watch(connection)

    def _accept(self, feed: Feed) -> None:
        with contextlib.suppress(OSError):
            accepted, address = self._listening[feed.name].accept()
            now = time.monotonic()
            if not self._make_room(feed, address[0], now):
                self._notes.add("mllp_full", feed.name, "FB-1136", now)
                accepted.close()
                return
            accepted.setblocking(False)
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            framer = hl7v2.Framer(feed.listener.largest_frame)
            peer = f"{address[0]}:{address[1]}"
            connection = Connection(accepted, feed, peer, now, framer)
            self._connections.add(connection)
            self._selector.register(accepted, selectors.EVENT_READ, connection)

    def _make_room(self, feed: Feed, host: str, now: float) -> bool:
        """Whether one more may come, after an idle one was closed where that is needed."""
        alike = [connection for connection in self._connections if connection.feed is feed]
        if has_room(alike, host, feed.listener):
            return True
        found = who_gives_way(alike, host, feed.listener, now)
        if found is None:
            return False
        self._notes.add("mllp_gave_way", feed.name, "FB-1136", now)
        self._close(found)
        return True

    def _looked_at(self, events: Iterable[tuple[Connection, hl7v2.Event]]) -> list[Taken]:
        """The frames to take and to answer; what is no frame is counted here."""
        taken: list[Taken] = []
        spent = 0.0
        for connection, event in events:
            began = time.perf_counter()
            found = look(connection, event, self._notes)
            if found is not None:
                taken.append(found)
            if found is None or found.admission.issues:
                self._turns.refused(connection)
                spent += time.perf_counter() - began
            elif found.admission.accepted:
                self._turns.taken(connection, time.monotonic())
        self._spent = spent
        return taken

    def _take(self, taken: list[Taken]) -> None:
        """Journal what is accepted, in one commit; then answer every frame in order."""
        arrivals = [
            Message(
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
                self._intake.append(arrivals)
            except Exception as error:  # whatever it is, the sender must keep its message
                trouble = [unavailable(error)]
                log.event("journal_unavailable", code=trouble[0].code, count=len(arrivals))
            self._trouble = trouble
        began = time.perf_counter()
        self._refuse([each for each in taken if each.admission.issues])
        self._spent += time.perf_counter() - began
        for each in taken:
            began = time.perf_counter()
            self._answer(each, trouble if each.admission.accepted else [])
            if each.admission.issues:
                self._spent += time.perf_counter() - began
        if self._spent:
            self._turns.spent(self._spent, time.monotonic())

    def _refuse(self, taken: list[Taken]) -> None:
        """Keep what is refused, in one commit."""
        if not taken:
            return
        refusals = [
            Refusal(
                Message(each.connection.feed.name, each.payload, "", _CONTENT_TYPE, each.connection.peer),
                each.admission.issues,
                each.connection.host,
            )
            for each in taken
        ]  # fmt: skip
        try:
            self._intake.refuse_all(refusals)
        except Exception:  # the answer says no in any case
            log.event("quarantine_unavailable", code="FB-6101", count=len(refusals))

    def _answer(self, taken: Taken, trouble: list[Issue]) -> None:
        connection, admission = taken.connection, taken.admission
        if admission.silent:
            return
        reply = answer(admission, taken.payload, connection.feed, trouble)
        if reply is not None and connection in self._connections:
            connection.send(time.monotonic(), hl7v2.frame(reply))

    def _sweep(self, now: float) -> None:
        """Time limits: frames that lack an end, peers that are silent or do not read."""
        for connection in self._connections:
            self._turns.add(connection, connection.overdue(now))
            if connection.is_unread(now):
                self._notes.add("mllp_unread", connection.feed.name, "FB-1135", now)
                connection.abandon()
        for connection in list(self._connections):
            self._watch(connection)
        self._notes.write(now)
        self._intake.count_refusals()

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

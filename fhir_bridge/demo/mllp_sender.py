"""Sends HL7 v2 messages over MLLP as a careful source system does.

MLLP release 1 (HL7 Transport Specification): ``<VT>message<FS><CR>``.  Messages of one system
travel in order over one connection; up to `window` of them may be under way.  The peer answers
in order; each answer is written to a file of acknowledgements before the next step, so that a
sender that is started again knows what is settled.  When the connection breaks, everything
that was not answered is sent again: the receiver must make repeats harmless.
"""

from __future__ import annotations

import hashlib
import socket
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Self

from fhir_bridge.demo.outgoing import Outgoing

__all__ = ["Acknowledgements", "Sent", "send"]

_START, _END = b"\x0b", b"\x1c\r"
_READ = 65_536


@dataclass
class Sent:
    """What became of the messages of one system."""

    sent: int = 0
    accepted: int = 0
    refused: int = 0
    skipped: int = 0
    reconnects: int = 0
    codes: dict[str, int] = field(default_factory=dict)


class Acknowledgements:
    """The file of answers: one line a message, ``digest<TAB>control id<TAB>code``."""

    def __init__(self, path: Path | None) -> None:
        self._settled: set[bytes] = set()
        self._file = None
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.exists():
                with path.open("rb") as lines:
                    self._settled = {line.split(b"\t", 1)[0] for line in lines}
            self._file = path.open("ab")

    def settled(self, message: Outgoing) -> bool:
        """True when this very message was answered in an earlier run."""
        return bool(self._settled) and _digest(message) in self._settled

    def record(self, message: Outgoing, code: str) -> None:
        """Note the answer to `message`."""
        if self._file is not None:
            line = b"\t".join((_digest(message), message.control_id.encode(), code.encode()))
            self._file.write(line + b"\n")
            self._file.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()


def send(
    address: tuple[str, int],
    messages: Iterable[Outgoing],
    acknowledgements: Acknowledgements,
    *,
    window: int = 64,
    patience: float = 60.0,
    resend: bool = False,
    done: Callable[[int], None] | None = None,
) -> Sent:
    """Send all `messages` and wait for all answers.

    With `resend` also those that the file says are settled.  Raises ConnectionError when the
    peer cannot be reached for `patience` seconds.
    """
    report = Sent()
    stream = _Stream(
        ahead=_unsettled(messages, acknowledgements, resend, report),
        acknowledgements=acknowledgements,
        window=window,
        report=report,
        done=done,
    )
    while not stream.finished:
        connection = _connect(address, patience)
        try:
            with connection:
                stream.converse(connection)
        except OSError:
            report.reconnects += 1
    return report


@dataclass
class _Stream:
    """The messages of one system: what is ahead, what was sent and waits for its answer."""

    ahead: Iterator[Outgoing]
    acknowledgements: Acknowledgements
    window: int
    report: Sent
    done: Callable[[int], None] | None
    waiting: deque[Outgoing] = field(default_factory=deque)
    exhausted: bool = False

    @property
    def finished(self) -> bool:
        """True when nothing is left to send or to wait for."""
        return self.exhausted and not self.waiting

    def converse(self, connection: socket.socket) -> None:
        """One connection: first again what is still unanswered, then on to the end."""
        for message in self.waiting:
            connection.sendall(_framed(message))
        answers = _answers(connection)
        self._fill(connection)
        while self.waiting:
            self._settle(next(answers))
            self._fill(connection)

    def _settle(self, code: str) -> None:
        message = self.waiting.popleft()
        self.acknowledgements.record(message, code)
        self.report.codes[code] = self.report.codes.get(code, 0) + 1
        if code in {"AA", "CA"}:
            self.report.accepted += 1
        else:
            self.report.refused += 1
        if self.done:
            self.done(1)

    def _fill(self, connection: socket.socket) -> None:
        """Top the window up in one write, when half of it is free."""
        if self.exhausted or len(self.waiting) > self.window // 2:
            return
        fresh = list(islice(self.ahead, self.window - len(self.waiting)))
        self.exhausted = len(fresh) < self.window - len(self.waiting)
        self.waiting.extend(fresh)
        self.report.sent += len(fresh)
        connection.sendall(b"".join(_framed(message) for message in fresh))


def _unsettled(
    messages: Iterable[Outgoing], acknowledgements: Acknowledgements, resend: bool, report: Sent
) -> Iterator[Outgoing]:
    for message in messages:
        if not resend and acknowledgements.settled(message):
            report.skipped += 1
        else:
            yield message


def _answers(connection: socket.socket) -> Iterator[str]:
    """The acknowledgement code (MSA-1) of each answer; ConnectionError at the end of the stream."""
    held = b""
    while True:
        block = connection.recv(_READ)
        if not block:
            raise ConnectionError("the peer closed the connection")
        held += block
        *frames, held = held.split(_END)
        for frame in frames:
            yield _code(frame.removeprefix(_START))


def _code(answer: bytes) -> str:
    for segment in answer.split(b"\r"):
        if segment.startswith(b"MSA|"):
            return segment.split(b"|")[1].decode("ascii", "replace")
    return "??"


def _connect(address: tuple[str, int], patience: float) -> socket.socket:
    """A connection, tried again with growing pauses until `patience` seconds are over."""
    deadline = time.monotonic() + patience
    pause = 0.05
    while True:
        try:
            connection = socket.create_connection(address, timeout=120)
        except OSError as error:
            if time.monotonic() + pause > deadline:
                reason = f"nobody answers at {address[0]}:{address[1]}"
                raise ConnectionError(reason) from error
            time.sleep(pause)
            pause = min(pause * 2, 1.0)
        else:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return connection


def _framed(message: Outgoing) -> bytes:
    return _START + message.data + _END


def _digest(message: Outgoing) -> bytes:
    return hashlib.sha256(message.data).hexdigest()[:32].encode()

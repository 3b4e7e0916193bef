"""Good traffic at a stated pace: a hospital's messages over MLLP, and readers over HTTP.

Each item has its time in a timetable; its delay counts from there, so that a service that
stalls is charged for everything that waited behind the stall.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from fhir_bridge.demo.hospital_messages import registrations, results

_END = b"\x1c\r"
_WINDOW = 16


@dataclass
class Answers:
    """What came back: seconds from the timetable to each answer, and what was not right."""

    delays: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def percentile(self, share: float) -> float:
        """The delay that `share` of the answers kept, in seconds."""
        ordered = sorted(self.delays)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def messages(seed: int) -> Iterator[bytes]:
    """Framed messages of ever new residents: registrations and their results in turn."""
    count = 1_000_000
    for one, other in zip(registrations(count, seed), results(count, seed), strict=False):
        for message in (one, other):
            yield b"\x0b" + message.data + _END


def timetable(rate: float, seconds: float) -> Iterator[float]:
    """Moments (of `time.monotonic`) at which something is due; a `rate` of 0: all at once."""
    start = time.monotonic()
    for number in itertools.count():
        due = start + number / rate if rate else time.monotonic()
        if due >= start + seconds:
            return
        yield due


class Hospital:
    """One sender: messages by the timetable, answers in order; lost connections are opened again."""

    def __init__(self, port: int, seed: int, answers: Answers) -> None:
        self._port = port
        self._stream = messages(seed)
        self._answers = answers
        self._under_way: deque[float] = deque()
        self._writer: asyncio.StreamWriter | None = None
        self._listening: asyncio.Task[None] | None = None

    async def run(self, rate: float, seconds: float) -> None:
        """Send for `seconds` and wait for the answers; a rate of 0 sends as fast as it may."""
        for due in timetable(rate, seconds):
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            while not rate and len(self._under_way) >= _WINDOW:
                await asyncio.sleep(0.001)
            await self._send(due if rate else time.monotonic())
        deadline = time.monotonic() + 30
        while self._under_way and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        self._lose("no answer")

    async def _send(self, due: float) -> None:
        if self._writer is None:
            try:
                reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
            except OSError as error:
                self._answers.wrong.append(type(error).__name__)
                return
            self._listening = asyncio.create_task(self._listen(reader))
        self._under_way.append(due)
        self._writer.write(next(self._stream))
        try:
            await self._writer.drain()
        except OSError as error:
            self._lose(type(error).__name__)

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        try:
            while True:
                frame = await reader.readuntil(_END)
                self._answers.delays.append(time.monotonic() - self._under_way.popleft())
                if b"\rMSA|AA|" not in frame:
                    said = frame[frame.find(b"\rMSA") :][:40]
                    self._answers.wrong.append(said.decode("ascii", "replace"))
        except (OSError, asyncio.IncompleteReadError) as error:
            self._lose(type(error).__name__)

    def _lose(self, why: str) -> None:
        """The connection is gone; what had no answer is counted as wrong."""
        self._answers.wrong += [why] * len(self._under_way)
        self._under_way.clear()
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        if self._listening is not None and self._listening is not asyncio.current_task():
            self._listening.cancel()


async def reader(port: int, ids: list[str], rate: float, seconds: float, answers: Answers) -> None:
    """One reader over a kept connection: a Patient, their results, their visits."""
    connection = None
    pick = random.Random(port)
    for due in timetable(rate, seconds):
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        began = due if rate else time.monotonic()
        id_ = pick.choice(ids)
        path = pick.choice(
            (f"Patient/{id_}", f"Observation?patient={id_}", f"Encounter?patient={id_}")
        )
        try:
            connection = connection or await asyncio.open_connection("127.0.0.1", port)
            connection[1].write(f"GET /fhir/{path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
            status = await asyncio.wait_for(_status(connection[0]), 60)
        except (OSError, asyncio.IncompleteReadError) as error:
            answers.wrong.append(type(error).__name__)
            connection = None
            continue
        answers.delays.append(time.monotonic() - began)
        if status != 200:
            answers.wrong.append(str(status))
    if connection:
        connection[1].close()


async def _status(stream: asyncio.StreamReader) -> int:
    """The status of the next answer, which is read to its end."""
    head = (await stream.readuntil(b"\r\n\r\n")).decode("latin-1")
    fields = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
    await stream.readexactly(int(fields.get("content-length", "0")))
    return int(head.split(" ", 2)[1])

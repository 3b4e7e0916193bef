"""The stated dose of trouble, all from one address of its own (127.0.0.2).

Twenty frames a second that are no messages, sixty-four idle MLLP connections, two hundred HTTP
connections that never finish their head, a file beyond the limit each minute, and each second an
evaluation that runs into its budget.  A connection that the service closes is opened again.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections import Counter
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

ADDRESS = "127.0.0.2"
_SECONDS_A_FILE = 60

_BAD = (
    b"not a message",
    b"MSH|^~\\&|LIS|JCCH|||20260101||ORU^R01|B1|P|2.4\rPID|||1\xff\xfe\xff",
    b"MSH|^~\\&|LIS|JCCH|||20260101||XYZ^Z99|B2|P|2.4\rPID|||1",
    b"MSH|^~\\&|LIS|JCCH|||20260101||ADT^A01|B3|P|2.4",
)

# Counts on and on: harmless, and bounded by the steps that an evaluation may take.
_ENDLESS = "Patient.where((1).repeat($this + 1).exists())"
_PATCH = {
    "resourceType": "Parameters",
    "parameter": [
        {
            "name": "operation",
            "part": [
                {"name": "type", "valueCode": "delete"},
                {"name": "path", "valueString": _ENDLESS},
            ],
        }
    ],
}


class Dose:
    """Everything of the dose as tasks; `counts` says what was given and what came back."""

    def __init__(
        self, mllp_port: int, http_port: int, inbox: Path, too_large: int, patient: str
    ) -> None:
        self._mllp, self._http = mllp_port, http_port
        self._inbox, self._too_large = inbox, too_large
        self._patient = patient
        self._tasks: set[asyncio.Task[None]] = set()
        self.counts: Counter[str] = Counter()

    def start(self) -> None:
        """Give the dose from now on."""
        self._go(self._bad_frames())
        self._go(self._large_files())
        self._go(self._evaluations())
        for _ in range(64):
            self._go(self._again(self._idle()))
        for _ in range(200):
            self._go(self._again(self._slow_head()))

    async def stop(self) -> None:
        """End it."""
        given = list(self._tasks)
        for task in given:
            task.cancel()
        await asyncio.gather(*given, return_exceptions=True)

    def _go(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _again(self, work: Coroutine[Any, Any, None]) -> None:
        again = {"_idle": self._idle, "_slow_head": self._slow_head}[work.__name__]
        while True:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await work
            self.counts[f"{again.__name__} reopened"] += 1
            await asyncio.sleep(1)
            work = again()

    async def _connect(self, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", port, local_addr=(ADDRESS, 0))

    async def _bad_frames(self) -> None:
        number = 0
        while True:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                stream, writer = await self._connect(self._mllp)
                while True:
                    bad = _BAD[number % len(_BAD)]
                    number += 1
                    writer.write(b"\x0b" + bad + b" %d" % number + b"\x1c\r")
                    await writer.drain()
                    self.counts["bad frames"] += 1
                    with contextlib.suppress(TimeoutError):
                        frame = await asyncio.wait_for(stream.readuntil(b"\x1c\r"), 0.05)
                        self.counts["refused" if b"|AA|" not in frame else "taken"] += 1
                    await asyncio.sleep(0.05)
            await asyncio.sleep(0.5)

    async def _idle(self) -> None:
        stream, _ = await self._connect(self._mllp)
        await stream.read()

    async def _slow_head(self) -> None:
        stream, writer = await self._connect(self._http)
        writer.write(b"GET /fhir/metadata HTTP/1.1\r\nHost: x\r\n")
        while not stream.at_eof():
            writer.write(b"X-A: b\r\n")
            await writer.drain()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stream.read(65_536), 1)

    async def _large_files(self) -> None:
        number = 0
        while True:
            number += 1
            part = self._inbox / f"large-{number}.csv.part"
            with part.open("wb") as file:
                file.write(b"a,b\n")
                file.truncate(self._too_large)
            part.rename(self._inbox / f"large-{number}.csv")
            self.counts["large files"] += 1
            await asyncio.sleep(_SECONDS_A_FILE)

    async def _evaluations(self) -> None:
        """One each second, whether those before it have been answered or not."""
        body = json.dumps(_PATCH).encode()
        head = (
            f"PATCH /fhir/Patient/{self._patient} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Content-Type: application/fhir+json\r\nContent-Length: {len(body)}\r\n"
            "Connection: close\r\n\r\n"
        ).encode()
        while True:
            self._go(self._evaluation(head + body))
            await asyncio.sleep(1)

    async def _evaluation(self, request: bytes) -> None:
        with contextlib.suppress(OSError, IndexError):
            stream, writer = await self._connect(self._http)
            writer.write(request)
            answer = await stream.read()
            writer.close()
            code = re.search(rb"FB-[0-9]{4}", answer)
            said = answer.split(b" ", 2)[1] + b" " + (code[0] if code else b"")
            self.counts[f"evaluation {said.decode()}"] += 1

"""Good traffic beside the trouble: one sender and one reader, in threads of their own.

The sender never gives up: what has no positive answer is sent again, as a hospital's system does.
"""

from __future__ import annotations

import socket
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator

from fhir_bridge.demo.hospital_messages import registrations
from tests.journeys.site import Site

_END = b"\x1c\r"


class Good:
    """Sends a message and reads a page every `pause` seconds until :meth:`stop`."""

    def __init__(self, site: Site, seed: int = 1, pause: float = 0.1) -> None:
        self._site, self._pause = site, pause
        self._messages = registrations(100_000, seed)
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._send, daemon=True),
            threading.Thread(target=self._read, daemon=True),
        ]
        self.accepted: list[str] = []
        self.answers: Counter[str] = Counter()
        self.reads: Counter[int] = Counter()

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End; the message under way is answered or not."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def goes_on(self, seconds: float = 20, *, messages: int = 5, reads: int = 5) -> None:
        """Wait until that many more messages were accepted and reads answered; fail else."""
        sent, read = len(self.accepted) + messages, self.reads[200] + reads
        deadline = time.monotonic() + seconds
        while len(self.accepted) < sent or self.reads[200] < read:
            said = f"{dict(self.answers)}, reads {dict(self.reads)}"
            assert time.monotonic() < deadline, f"good traffic stands still: {said}"
            time.sleep(0.05)

    def _send(self) -> None:
        answers: Iterator[bytes] | None = None
        for message in self._messages:
            while not self._stopping.is_set():
                try:
                    if answers is None:
                        answers = self._connect()
                        next(answers)
                    self._connection.sendall(b"\x0b" + message.data + _END)
                    frame = next(answers)
                except (OSError, StopIteration):
                    answers = None
                    time.sleep(0.2)
                    continue
                code = frame.partition(b"\rMSA|")[2][:2].decode("ascii", "replace")
                self.answers[code] += 1
                if code == "AA":
                    self.accepted.append(message.control_id)
                    break
                time.sleep(0.2)
            if self._stopping.wait(self._pause):
                return

    def _connect(self) -> Iterator[bytes]:
        with socket.create_connection(("127.0.0.1", self._site.mllp_port), timeout=30) as peer:
            self._connection = peer
            yield b""
            held = b""
            while True:
                block = peer.recv(65_536)
                if not block:
                    return
                *frames, held = (held + block).split(_END)
                yield from frames

    def _read(self) -> None:
        while not self._stopping.wait(self._pause):
            try:
                url = f"{self._site.base}/Encounter?_count=5"
                with urllib.request.urlopen(url, timeout=30) as answer:
                    answer.read()
                    self.reads[answer.status] += 1
            except urllib.error.HTTPError as error:
                self.reads[error.code] += 1
            except OSError:
                self.reads[0] += 1

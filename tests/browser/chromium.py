"""A headless Chromium, spoken to over its DevTools pipe.

https://chromedevtools.github.io/devtools-protocol/: with ``--remote-debugging-pipe`` the browser
reads commands on descriptor 3 and writes answers and events on 4, each JSON ended by a NUL.
No port is opened and no library is needed.
"""

from __future__ import annotations

import base64
import fcntl
import itertools
import json
import os
import select
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["Chromium", "open_chromium"]

_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-pipe",
)
_SECONDS = 60.0


class Chromium:
    """One page of a browser; :attr:`events` holds what it reported since the last visit."""

    def __init__(self, commands: int, answers: int) -> None:
        self._commands, self._answers = commands, answers
        self._numbers, self._buffer, self._session = itertools.count(1), b"", ""
        self.events: list[dict[str, Any]] = []
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        attached = self.ask("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command; its result.  AssertionError when the browser says no or nothing."""
        number = next(self._numbers)
        command = {"id": number, "method": method, "params": parameters}
        if self._session:
            command["sessionId"] = self._session
        os.write(self._commands, json.dumps(command).encode() + b"\0")
        while (message := self._message()).get("id") != number:
            self.events.append(message)
        assert "error" not in message, message["error"]
        return message["result"]

    def visit(self, url: str, *, width: int, height: int = 900) -> None:
        """Show `url` in a window of `width` (a phone below 600) and wait until it is loaded."""
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        self.events.clear()
        self.ask("Page.navigate", url=url)
        self._await_load()

    def follow(self, expression: str) -> None:
        """Do what leads to another page, and wait until that is loaded."""
        self.events.clear()
        self.measure(expression)
        self._await_load()

    def _await_load(self) -> None:
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self._message())

    def measure(self, expression: str) -> Any:
        """The value of a JavaScript expression in the page (its content policy does not hold here)."""
        result = self.ask("Runtime.evaluate", expression=expression, returnByValue=True)["result"]
        return result.get("value")

    def picture(self, path: Path) -> None:
        """The page as PNG, as far as it is visible."""
        path.write_bytes(base64.b64decode(self.ask("Page.captureScreenshot")["data"]))

    def reported(self, method: str) -> list[dict[str, Any]]:
        """The parameters of each event of this name since the last visit."""
        return [event["params"] for event in self.events if event.get("method") == method]

    def _message(self) -> dict[str, Any]:
        deadline = time.monotonic() + _SECONDS
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._answers], [], [], deadline - time.monotonic())
            assert ready, "the browser says nothing"
            data = os.read(self._answers, 1 << 20)
            assert data, "the browser has ended"
            self._buffer += data
        text, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(text)


@contextmanager
def open_chromium(program: str) -> Iterator[Chromium]:
    """A fresh browser with an empty profile, ended with the block."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        theirs_in, ours_out = os.pipe()
        ours_in, theirs_out = os.pipe()
        ends = [_above_ten(end) for end in (theirs_in, theirs_out)]
        shell = f'exec "$0" "$@" 3<&{ends[0]} 4>&{ends[1]}'
        process = subprocess.Popen(
            ["/bin/bash", "-c", shell, program, *_FLAGS, f"--user-data-dir={profile}"],
            pass_fds=ends,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for end in ends:
            os.close(end)
        try:
            yield Chromium(ours_out, ours_in)
        finally:
            os.close(ours_out)  # the browser ends with its pipe
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            os.close(ours_in)


def _above_ten(descriptor: int) -> int:
    """The same pipe under a number that 3 and 4 cannot collide with."""
    high = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 10)
    os.close(descriptor)
    return high

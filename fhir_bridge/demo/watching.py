"""Starts the source systems in a process of their own and listens to what they tell."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread

__all__ = ["SourceProcess", "Told"]


@dataclass
class Told:
    """What the sources have told so far."""

    sent: dict[str, int] = field(default_factory=dict)
    totals: dict[str, int] = field(default_factory=dict)
    api_url: str = ""
    finished: bool = False

    @property
    def count(self) -> int:
        """Messages and rows sent."""
        return sum(self.sent.values())


class SourceProcess:
    """The sources' process; it ends when its standard input is closed."""

    def __init__(
        self, *, mllp: str, data: Path, residents: int, seed: int, token_file: Path, resend: bool
    ) -> None:
        self.told = Told()
        self.serving, self.ended = Event(), Event()
        arguments = [
            *("--mllp", mllp, "--inbox", str(data / "inbox"), "--residents", str(residents)),
            *("--seed", str(seed), "--acknowledged", str(data / "acknowledged.tsv")),
            *("--api-token-file", str(token_file), "--keep-serving"),
        ]
        self._process = subprocess.Popen(  # noqa: S603 - our own module, no shell
            [sys.executable, "-m", "fhir_bridge.demo", *arguments, *(["--resend"] * resend)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._listener = Thread(target=self._listen, daemon=True)
        self._listener.start()

    @property
    def working(self) -> bool:
        """True until everything is sent, or the process is gone."""
        return not self.told.finished and not self.ended.is_set()

    def trouble(self) -> str:
        """The last words of a process that ended early; "" for one that did its work."""
        if self.told.finished or self._process.stderr is None:
            return ""
        lines = self._process.stderr.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"exit code {self._process.wait()}"

    def stop(self) -> None:
        """Close the process's input and wait for it; kill it if it does not go."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._listener.join()
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()

    def _listen(self) -> None:
        assert self._process.stdout is not None  # noqa: S101 - asked for above
        for line in self._process.stdout:
            self._hear(json.loads(line))
        self.ended.set()
        self.serving.set()

    def _hear(self, told: dict[str, object]) -> None:
        event, feed = told["event"], str(told.get("feed", ""))
        if event == "serving":
            self.told.api_url = str(told["url"])
            self.serving.set()
        elif event == "done":
            self.told.sent[feed] = self.told.sent.get(feed, 0) + int(str(told["count"]))
        elif event == "finished":
            self.told.finished = True

"""Memory of the service's processes, and what health says, every few seconds."""

from __future__ import annotations

import asyncio
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Watch:
    """Samples of (seconds since the start, bytes) and the answers of ``/health``."""

    pid: int
    port: int
    began: float = field(default_factory=time.monotonic)
    memory: list[tuple[float, int]] = field(default_factory=list)
    health: dict[str, int] = field(default_factory=dict)

    async def run(self, seconds: float, every: float = 5.0) -> None:
        """Sample for `seconds`."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.memory.append((time.monotonic() - self.began, memory_of(self.pid)))
            said = await asyncio.to_thread(self._ask)
            self.health[said] = self.health.get(said, 0) + 1
            await asyncio.sleep(every)

    def _ask(self) -> str:
        try:
            url = f"http://127.0.0.1:{self.port}/health"
            with urllib.request.urlopen(url, timeout=10) as answer:
                return str(answer.status)
        except OSError as error:
            return type(error).__name__

    def growth(self, warm: float) -> float:
        """Mean memory of the last third by that of the first third, after `warm` seconds."""
        sizes = [size for moment, size in self.memory if moment >= warm]
        third = len(sizes) // 3
        return sum(sizes[-third:]) / sum(sizes[:third]) if third else 1.0


def memory_of(pid: int) -> int:
    """Proportional set size of a process and all its children, in bytes."""
    return sum(_pss(each) for each in _family(pid))


def _family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task").glob("*/children")
    found = [pid]
    for path in children:
        try:
            found += [each for child in path.read_text().split() for each in _family(int(child))]
        except OSError:
            continue
    return found


def _pss(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))

"""The process that works through the journal: what it may take, and when it ends.

It holds no socket and no file of the process that it came from; it opens the database for
itself.  It ends in order when that process closes the pipe `life`, and of itself when memory
gives out: what it was working on is then begun anew by the next one, which counts it
(:mod:`.attempts`).
"""

from __future__ import annotations

import contextlib
import os
import resource
import select
import signal
import threading
from collections.abc import Callable
from pathlib import Path

from .pipeline import Pipeline

__all__ = ["NO_MEMORY", "ignore_signals", "work"]

NO_MEMORY = 70
"""The exit code of a worker whose memory gave out."""

_FIRST_TO_GO = (
    "500"  # of 1000: when the machine's memory gives out the worker ends, not the service
)


def work(
    pipeline: Pipeline, wakes: int, life: int, *, memory: int, tell: Callable[[bool], None]
) -> int:
    """The life of a worker; its exit code.

    `wakes` is the reading end of a pipe that gets a byte when something arrived, `life` of one
    that is closed at the end; `memory` are the most MiB of its own (0: any number); `tell` is
    called every second with whether the record could not be written last.
    """
    _bound_memory(memory)
    following = (pipeline, wakes, life, tell)
    threading.Thread(target=_follow, args=following, daemon=True).start()
    pipeline.kept()
    try:
        pipeline.run(dies_of_memory=True)
    except MemoryError:
        return NO_MEMORY
    return 0


def ignore_signals() -> None:
    """Whoever started this process decides when it ends, also where a signal reaches all."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def _bound_memory(mebibytes: int) -> None:
    """https://man7.org/linux/man-pages/man2/getrlimit.2.html: RLIMIT_DATA counts what is written."""
    if mebibytes:
        _, most = resource.getrlimit(resource.RLIMIT_DATA)
        wanted = mebibytes * 1024 * 1024
        limit = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
        resource.setrlimit(resource.RLIMIT_DATA, (limit, most))
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_FIRST_TO_GO, encoding="ascii")


def _follow(pipeline: Pipeline, wakes: int, life: int, tell: Callable[[bool], None]) -> None:
    """Pass on each wake; end with the process at the other side, or with that in between."""
    keeper = os.getppid()
    while os.getppid() == keeper:
        ready, _, _ = select.select([wakes, life], [], [], 1.0)
        if life in ready:
            break
        if wakes in ready:
            os.read(wakes, 4096)
            pipeline.wake()
        tell(pipeline.failing)
    pipeline.end()

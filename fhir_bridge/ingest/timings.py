"""Where the time goes: by stage of the pipeline, on the wall and on the processor.

The two differ by what was waited for: the disk in ``record``, other threads, and on a
busy machine other programs.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

__all__ = ["STAGES", "Timings"]

STAGES = ("parse", "transform", "validate", "resolve", "record")


@dataclass(slots=True)
class Timings:
    """Totals since the start; read them at any time, they only grow."""

    nanoseconds: dict[str, int] = field(default_factory=lambda: dict.fromkeys(STAGES, 0))
    cpu_nanoseconds: dict[str, int] = field(default_factory=lambda: dict.fromkeys(STAGES, 0))
    entries: int = 0  # journal entries worked on
    records: int = 0  # messages, documents, rows mapped
    resources: int = 0  # resources handed to the store
    quarantined: int = 0  # records refused
    commits: int = 0

    def stage(self, name: str) -> Stage:
        """Counts the time within the block to `name`."""
        return Stage(self, name)


class Stage:
    """A block whose time is counted; a generator would cost three times as much."""

    __slots__ = ("_cpu", "_name", "_start", "_timings")

    def __init__(self, timings: Timings, name: str) -> None:
        self._timings = timings
        self._name = name

    def __enter__(self) -> None:
        self._start, self._cpu = time.perf_counter_ns(), time.thread_time_ns()

    def __exit__(self, *_: object) -> None:
        timings, name = self._timings, self._name
        timings.nanoseconds[name] += time.perf_counter_ns() - self._start
        timings.cpu_nanoseconds[name] += time.thread_time_ns() - self._cpu

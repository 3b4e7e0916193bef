"""Where the time goes: by stage of the pipeline, on the wall and on the processor.

The two differ by what was waited for: the disk in ``record``, other threads, and on a
busy machine other programs.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
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

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Counts the time within the block to `name`."""
        start, cpu = time.perf_counter_ns(), time.thread_time_ns()
        try:
            yield
        finally:
            self.nanoseconds[name] += time.perf_counter_ns() - start
            self.cpu_nanoseconds[name] += time.thread_time_ns() - cpu

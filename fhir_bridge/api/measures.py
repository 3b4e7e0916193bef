"""Counts and times of what was served, in the Prometheus text format.

https://prometheus.io/docs/instrumenting/exposition_formats/

Labels are interactions and status classes: no address, no id, no patient data.  Several
processes that serve one port count in memory that they share, each in a row of its own, so
that whichever is asked tells the sum; a worker that follows another goes on in its row.
"""

from __future__ import annotations

from collections.abc import Callable, MutableSequence, Sequence
from threading import Lock
from typing import Any

from fhir_bridge.interactions import INTERACTIONS

__all__ = ["Measures", "shared_measures"]

_CLASSES = ("1xx", "2xx", "3xx", "4xx", "5xx")
_WIDTH = len(_CLASSES) + 1  # the seconds are last


def _names() -> tuple[str, ...]:
    return tuple(sorted({*INTERACTIONS, "operation", "unknown"}))


class Measures:
    """Requests by interaction and status class, and their seconds; safe for threads.

    `rows` holds one row of numbers for each process, `own` is the place of this one's.
    """

    def __init__(self, rows: Sequence[MutableSequence[float]] | None = None, own: int = 0) -> None:
        self._names = _names()
        self._places = {name: place * _WIDTH for place, name in enumerate(self._names)}
        self._rows = rows or [[0.0] * (len(self._names) * _WIDTH)]
        self._own = own
        self._lock = Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        """To another process go the shared rows, and no lock."""
        return Measures, (self._rows, self._own)

    def add(self, interaction: str, status: int, seconds: float) -> None:
        """Count one request."""
        place = self._places.get(interaction, self._places["unknown"])
        row = self._rows[self._own]
        with self._lock:
            row[place + status // 100 - 1] += 1
            row[place + _WIDTH - 1] += seconds

    def render(self) -> str:
        """All counts of all processes as text."""
        sums = [sum(column) for column in zip(*self._rows, strict=True)]
        lines = ["# TYPE fhir_bridge_requests_total counter"]
        for name in self._names:
            place = self._places[name]
            for status, count in zip(_CLASSES, sums[place : place + _WIDTH - 1], strict=True):
                if count:
                    labels = f'interaction="{name}",status="{status}"'
                    lines.append(f"fhir_bridge_requests_total{{{labels}}} {count:.0f}")
        lines.append("# TYPE fhir_bridge_request_seconds_total counter")
        for name in self._names:
            place = self._places[name]
            if any(sums[place : place + _WIDTH]):
                total = sums[place + _WIDTH - 1]
                lines.append(
                    f'fhir_bridge_request_seconds_total{{interaction="{name}"}} {total:.6f}'
                )
        return "\n".join([*lines, ""])


def shared_measures(count: int, allocate: Callable[[str, int], Any]) -> list[Measures]:
    """Measures for `count` processes; `allocate` is ``RawArray`` of their start method."""
    rows = [allocate("d", len(_names()) * _WIDTH) for _ in range(count)]
    return [Measures(rows, own) for own in range(count)]

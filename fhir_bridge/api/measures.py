"""Counts and times of what was served, in the Prometheus text format.

https://prometheus.io/docs/instrumenting/exposition_formats/

Labels are interactions and status classes: no address, no id, no patient data.
"""

from __future__ import annotations

from collections import Counter
from threading import Lock

__all__ = ["Measures"]


class Measures:
    """Requests by interaction and status class since the process began; safe for threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._requests: Counter[tuple[str, str]] = Counter()
        self._seconds: Counter[str] = Counter()

    def add(self, interaction: str, status: int, seconds: float) -> None:
        """Count one request."""
        with self._lock:
            self._requests[interaction, f"{status // 100}xx"] += 1
            self._seconds[interaction] += seconds  # type: ignore[assignment]

    def render(self) -> str:
        """All counts as text."""
        with self._lock:
            requests, seconds = sorted(self._requests.items()), sorted(self._seconds.items())
        lines = ["# TYPE fhir_bridge_requests_total counter"]
        for (interaction, status), count in requests:
            labels = f'interaction="{interaction}",status="{status}"'
            lines.append(f"fhir_bridge_requests_total{{{labels}}} {count}")
        lines.append("# TYPE fhir_bridge_request_seconds_total counter")
        for interaction, total in seconds:
            label = f'interaction="{interaction}"'
            lines.append(f"fhir_bridge_request_seconds_total{{{label}}} {total:.6f}")
        return "\n".join([*lines, ""])

"""What the first page counts in the record, counted once for each state of it.

Counting reads an index row of every resource; the number of the newest change tells at no cost
whether anything was written since the last count.
"""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock

from fhir_bridge.access import Access
from fhir_bridge.console.monitor.overview import Load, doctor_loads
from fhir_bridge.console.reader import Reader
from fhir_bridge.search import Registry
from fhir_bridge.store import Store

__all__ = ["Counts", "RecordCounts"]


@dataclass(frozen=True, slots=True)
class Counts:
    """Resources by type (most first), agreements in force, doctors over the load rule."""

    types: tuple[tuple[str, int], ...]
    in_force: int
    loads: tuple[Load, ...]

    @property
    def total(self) -> int:
        """All resources."""
        return sum(count for _, count in self.types)


class RecordCounts:
    """The counts of a store, for readers who may see everything."""

    def __init__(self, store: Store, registry: Registry, persons_per_doctor: int) -> None:
        self._store, self._registry, self._limit = store, registry, persons_per_doctor
        self._kept: tuple[int, Counts] | None = None
        self._lock = Lock()

    def now(self) -> Counts:
        """The counts at the newest change; readers that come at once share one count."""
        with self._lock:
            change = self._store.latest_change()
            if self._kept is None or self._kept[0] != change:
                self._kept = (change, self._count())
            return self._kept[1]

    def _count(self) -> Counts:
        reader = Reader(self._store, self._registry, Access.everything())
        types = self._store.counts_by_type().items()
        return Counts(
            types=tuple(sorted(types, key=lambda one: (-one[1], one[0]))),
            in_force=reader.count("Contract", ("status", "executed")),
            loads=tuple(doctor_loads(reader, self._limit)),
        )

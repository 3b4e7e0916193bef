"""Cost of check and reindex a resource, on one SQLite file.

Usage: ``python bench/keeping.py [--resources 100000] [--file record.sqlite3]``

Made from the resources of ``bench/store.py``; a file that is there already is used as it is.
Prints CPU and wall time a resource and the greatest memory of this process.
"""

from __future__ import annotations

import argparse
import resource as system
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from store import resources  # type: ignore[import-not-found]

from fhir_bridge.fhir import definitions
from fhir_bridge.search import Registry
from fhir_bridge.store import Store, maintenance, open_store

_OWN = {
    "resourceType": "SearchParameter",
    "url": "urn:own",
    "code": "own",
    "type": "token",
    "base": ["Observation"],
    "expression": "Observation.status",
}
_TABLES = ("posting", "string_value", "date_value", "quantity_value", "reference", "term")


def _fill(store: Store, count: int) -> None:
    source = resources(count)
    while batch := list(islice(source, 20_000)):
        with store.transaction() as tx:
            tx.put_many(batch)


def _cost(name: str, count: int, work: Callable[[], Any]) -> None:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    memory = system.getrusage(system.RUSAGE_SELF).ru_maxrss // 1024
    print(
        f"{name:32} {cpu / count * 1e6:5.0f} µs CPU a resource,"
        f" {wall / count * 1e6:5.0f} µs wall, {memory} MB",
        flush=True,
    )


def main() -> None:
    """Measure each way once."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--resources", type=int, default=100_000)
    parser.add_argument("--file", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{asked.file or Path(folder) / 'record.sqlite3'}"
        plain = Registry(definitions())
        store = open_store(url, registry=plain)
        if not store.counts_by_type():
            _fill(store, asked.resources)
        count = sum(store.counts_by_type().values())
        _cost("check", count, lambda: maintenance.check(store))
        _cost("reindex, nothing to mend", count, lambda: maintenance.reindex(store))
        added = open_store(url, registry=Registry(definitions(), [_OWN]))
        _cost(
            "reindex, a parameter added",
            count,
            lambda: maintenance.reindex(added, maintenance.outdated_types(added)),
        )
        store = open_store(url, registry=plain)
        _cost(
            "reindex, it is taken away",
            count,
            lambda: maintenance.reindex(store, maintenance.outdated_types(store)),
        )
        with store.writing() as session:
            for table in _TABLES:
                session.run(f"DELETE FROM {table}")
        _cost("reindex, the whole index lost", count, lambda: maintenance.reindex(store))


if __name__ == "__main__":
    main()

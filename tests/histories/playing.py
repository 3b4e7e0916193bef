"""Plays many histories on both cores, and says which failed and what they covered.

Each worker process has a record of its own; the seeds are dealt out in turn, so that the same
seeds meet the same histories whatever the number of workers.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

from tests.histories.coverage import Coverage
from tests.histories.generator import history
from tests.histories.running import first_difference
from tests.histories.shrinking import shrunk
from tests.histories.site import MEMORY, open_site
from tests.store.databases import scratch_schema

__all__ = ["Played", "play"]

_PART = 25


@dataclass
class Played:
    """What came of some histories; `failed` holds one text for each seed that failed."""

    failed: dict[int, str] = field(default_factory=dict)
    coverage: Coverage = field(default_factory=Coverage)


def play(
    seeds: Sequence[int],
    *,
    postgresql: str = "",
    workers: int = 2,
    told: Callable[[Coverage], None] = lambda _: None,
) -> Played:
    """Plays the histories of `seeds` on SQLite, or in schemas of the server at `postgresql`.

    It stops soon after the first that fails; `told` hears of each part that is done.
    """
    played = Played()
    parts = [seeds[start : start + _PART] for start in range(0, len(seeds), _PART)]
    dealt = [parts[number::workers] for number in range(workers)]
    stop = Path(tempfile.mkdtemp(prefix="histories-")) / "stop"
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        given = [(each, postgresql, str(stop)) for each in dealt if each]
        for done in pool.map(_play, *zip(*given, strict=True)):
            played.failed |= done.failed
            played.coverage.add_all([done.coverage])
            told(played.coverage)
    return played


def _play(parts: Iterable[Sequence[int]], postgresql: str, stop: str) -> Played:
    """The work of one process."""
    played = Played()
    with ExitStack() as closing:
        folder = Path(
            closing.enter_context(tempfile.TemporaryDirectory(prefix="histories-", dir=MEMORY))
        )
        url = f"sqlite:///{folder}/record.sqlite3"
        if postgresql:
            url = closing.enter_context(scratch_schema(postgresql))
        site = open_site(url, folder)
        closing.callback(site.services.store.close)
        for seed in (seed for part in parts for seed in part):
            if os.path.exists(stop):  # noqa: PTH110
                break
            events = history(seed)
            played.coverage.add(events)
            failure = first_difference(events, site)
            if failure is not None:
                Path(stop).touch()
                short = shrunk(failure, site)
                played.failed[seed] = f"seed {seed}, {len(events)} events; shortest:\n{short}"
                break
    return played

"""Looks for the first history that fails when a clause is switched off, on both cores."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

from tests.histories.clauses import CLAUSES
from tests.histories.generator import history
from tests.histories.running import first_difference
from tests.histories.site import MEMORY, Site, open_site

__all__ = ["Noticed", "noticed"]

Noticed = tuple[int, int, str]
"""How many histories it took, the seed of the last and what was wrong; 0 when none failed."""


def noticed(names: Sequence[str], most: int, *, workers: int = 2) -> dict[str, Noticed]:
    """For each clause: after how many histories (up to `most`) its absence shows."""
    dealt = [names[number::workers] for number in range(workers)]
    found: dict[str, Noticed] = {}
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for part in pool.map(_look, [each for each in dealt if each], [most] * workers):
            found |= part
    return found


def _look(names: Iterable[str], most: int) -> dict[str, Noticed]:
    found: dict[str, Noticed] = {}
    with tempfile.TemporaryDirectory(prefix="histories-", dir=MEMORY) as folder:
        whole = open_site(f"sqlite:///{folder}/whole.sqlite3", Path(folder))
        for name in names:
            with CLAUSES[name].off(), _without(name, whole, Path(folder)) as site:
                found[name] = _first_that_fails(site, CLAUSES[name].seed, most)
        whole.services.store.close()
    return found


@contextmanager
def _without(name: str, whole: Site, folder: Path) -> Iterator[Site]:
    """A site with a record of its own, since a clause that is off leaves its traces in it."""
    url = f"sqlite:///{folder}/{name}.sqlite3"
    overlay = folder / name
    site = open_site(url, folder, overlay) if CLAUSES[name].write(overlay) else whole.over(url)
    yield site
    site.services.store.close()


def _first_that_fails(site: Site, likely: int, most: int) -> Noticed:
    seeds = [likely, *(seed for seed in range(most) if seed != likely)]
    for count, seed in enumerate(seeds, 1):
        failure = first_difference(history(seed), site)
        if failure is not None:
            return count, seed, failure.found[0]
    return 0, 0, ""

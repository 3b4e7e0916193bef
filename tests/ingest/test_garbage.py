"""Garbage is looked for between batches, and what a batch leaves does not stay."""

import gc
import weakref

import pytest

from fhir_bridge.ingest.garbage import collect_between, uncollected


class _Knot:
    """An object that refers to itself: only the collector frees it."""

    def __init__(self) -> None:
        self.itself = self
        self.more = [[] for _ in range(30_000)]  # as many objects as a batch leaves, and more


def test_a_batch_is_not_looked_at_and_its_garbage_goes_with_it() -> None:
    """Within the block a cycle stays, also when many objects are made; between batches it goes."""
    gc.collect()
    with uncollected():
        knot = weakref.ref(_Knot())
        assert knot() is not None
        assert not gc.isenabled()
        collect_between()
        assert knot() is None


def test_a_fault_in_a_batch_leaves_the_collector_on() -> None:
    """However a block ends, other threads' garbage is looked for again."""
    with pytest.raises(RuntimeError), uncollected():
        raise RuntimeError
    assert gc.isenabled()


def test_old_garbage_is_found_in_the_end() -> None:
    """A cycle that outlived some batches is looked at as often as Python itself would."""
    gc.collect()
    with uncollected():
        strong = _Knot()
        for _ in range(3):
            collect_between()
            gc.collect(1)  # it is among the oldest now
        old = weakref.ref(strong)
        del strong
        batches = 0
        while old() is not None and batches < 500:
            batch = [[] for _ in range(21_000)]
            collect_between()
            del batch
            batches += 1
    assert 0 < batches < 500

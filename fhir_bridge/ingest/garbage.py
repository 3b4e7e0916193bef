"""When Python looks for cycles among its objects: between batches, not within one.

Within a batch nearly all objects are alive, so that looking at them finds nothing: it took a
seventh of the CPU time.  Once a batch is let go, little is left to look at.
https://docs.python.org/3/library/gc.html
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["collect_between", "spare_what_stays", "uncollected"]

# For what the other threads make: Python's own 700 looks at the youngest objects too often.
# The oldest are looked at as often as by default: waiting five times longer let the full
# demo's garbage grow by some 50 MB.
_THRESHOLDS = (20_000, 10, 10)


def spare_what_stays() -> None:
    """Definitions, maps and profiles live as long as the process: never look at them again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)


@contextmanager
def uncollected() -> Iterator[None]:
    """Within the block only :func:`collect_between` looks for garbage, for all threads."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def collect_between() -> None:
    """A batch is let go: look at what is new, as far and as often as Python itself would."""
    new, *older = gc.get_count()
    if new > _THRESHOLDS[0]:
        is_due = [count > most for count, most in zip(older, _THRESHOLDS[1:], strict=True)]
        gc.collect(2 if all(is_due) else 1 if is_due[0] else 0)

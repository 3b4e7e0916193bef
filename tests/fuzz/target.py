"""A target, and what is asked of it: nothing but coded refusals, in bounded time and memory."""

from __future__ import annotations

import resource
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from fhir_bridge.errors import BridgeError, entry

__all__ = ["Fault", "Finding", "Target", "judge"]

SECONDS = 2.0
"""Processor time that one input may take: far above what any of 64 KB needs."""
MEGABYTES = 300
"""How much one input may raise the most that the process has held."""
LARGEST = 64 * 1024


@dataclass(frozen=True, slots=True)
class Fault:
    """A place to plant a fault in: a function by module and name, and when it is to show.

    `shows` gets what the function is called with; a fuzzer that never calls it with that
    would not find a fault there either.
    """

    module: str
    name: str
    shows: Callable[..., bool]


@dataclass(frozen=True, slots=True)
class Target:
    """A door: `run` takes any bytes; `seeds` are good inputs, `words` what the language knows."""

    name: str
    run: Callable[[bytes], None]
    seeds: Callable[[], list[bytes]]
    words: tuple[bytes, ...]
    faults: tuple[Fault, ...]
    packages: tuple[str, ...]


class Finding(Exception):  # noqa: N818 - what a fuzzer looks for
    """What an input has shown; `kind` and `place` tell equal ones."""

    def __init__(self, kind: str, place: str) -> None:
        super().__init__(f"{kind} at {place}")
        self.kind = kind
        self.place = place


class _Late(BaseException):
    """Not an Exception: no handler on the way may take it for an ordinary one."""


def judge(target: Target, data: bytes) -> None:
    """Run the target.  Raises Finding for what must not be."""
    before = _most_held()
    try:
        with _limited():
            target.run(data[:LARGEST])
    except BridgeError as error:
        entry(error.code)  # a code that is not in the catalogue is a KeyError: a finding
    except Finding:
        raise
    except _Late as error:
        raise Finding("time", _place(error)) from None
    except Exception as error:
        raise Finding(type(error).__name__, _place(error)) from error
    if _most_held() - before > MEGABYTES:
        raise Finding("memory", target.name)


def _most_held() -> float:
    """MB, as Linux counts."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@contextmanager
def _limited() -> Iterator[None]:
    def end(_number: int, _frame: Any) -> None:
        raise _Late

    before = signal.signal(signal.SIGPROF, end)
    signal.setitimer(signal.ITIMER_PROF, SECONDS, 0.2)  # again, should a handler have eaten it
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _place(error: BaseException) -> str:
    """The innermost line of the product on the way to the error."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if "/fhir_bridge/" in frame.filename or "/mappings/" in frame.filename
    ]
    if not frames:
        return "the target"
    last = frames[-1]
    return f"{last.filename.rpartition('/fhir_bridge/')[2]}:{last.lineno}"

"""What one evaluation of somebody's text may cost: steps, bytes and time.

FHIRPath, maps and patches come from clients, so each evaluation has one :class:`Budget`
that every interpreter asks.  Steps count work, bytes what longer texts and collections are
made of (charged before they are built), and the clock of the processor is looked at between
steps: what an evaluation waits while others work is not its own time.

How much there is, is said around the work: ``with bounded(Bounds(...))``; the defaults are
those of the settings.  What an operator has installed runs on feeds under :data:`INSTALLED`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass

from fhir_bridge.errors import BridgeError
from fhir_bridge.lane import Turn

__all__ = [
    "INSTALLED",
    "Bounds",
    "Budget",
    "BudgetExceeded",
    "Evaluation",
    "bounded",
    "is_installed",
    "new_budget",
    "one_budget",
    "urgent",
]

_BETWEEN_LOOKS = 100
_ITEM = 64
"""Bytes of an item in a collection, and of what stands around the characters of a text."""
_CHARACTER = 4
"""Bytes of a character, at most."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """The most of one evaluation; `seconds` are the processor's.

    `deadline` (monotonic) is that of the request around it, `turn` its use of the lane for
    what is long.
    """

    steps: int = 200_000
    bytes: int = 128 * 1024 * 1024
    seconds: float = 2
    deadline: float = math.inf
    turn: Turn | None = None


INSTALLED = Bounds(20_000_000, 2_000_000_000, 600)
"""For maps and profiles of this installation: so much that only a fault reaches it."""

_GIVEN: ContextVar[Bounds | Budget] = ContextVar("given", default=Bounds())  # noqa: B039 - frozen


@contextmanager
def bounded(bounds: Bounds) -> Iterator[None]:
    """Evaluations inside get a budget of `bounds` each."""
    token = _GIVEN.set(bounds)
    try:
        yield
    finally:
        _GIVEN.reset(token)
        if bounds.turn is not None:
            bounds.turn.end()


def urgent() -> AbstractContextManager[None]:
    """Evaluations inside do not rest: the one writer of the record is held, or the like."""
    given = _GIVEN.get()
    turn = (given.bounds if type(given) is Budget else given).turn  # type: ignore[union-attr]
    return nullcontext() if turn is None else turn.urgent()


@contextmanager
def one_budget() -> Iterator[Budget]:
    """Evaluations inside, being parts of a larger one, share one budget."""
    shared = new_budget()
    token = _GIVEN.set(shared)
    try:
        yield shared
    finally:
        _GIVEN.reset(token)


def new_budget() -> Budget:
    """The budget of an evaluation that begins here: a new one, or that around it."""
    given = _GIVEN.get()
    return given if type(given) is Budget else Budget(given)  # type: ignore[arg-type]


def is_installed() -> bool:
    """Whether what begins here is of this installation, not of a client."""
    return _GIVEN.get() is INSTALLED


class BudgetExceeded(BridgeError):  # noqa: N818 - the budget is the subject
    """The end of an evaluation.

    FB-2008 (steps), FB-2010 (bytes), FB-2011 or FB-4027 (time), FB-4035 (others are at it).
    """


class Budget:
    """What is left for one evaluation; belongs to one thread."""

    __slots__ = ("_began", "_bytes", "_look", "_steps", "bounds")

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self._steps = bounds.steps
        self._bytes = bounds.bytes
        self._look = bounds.steps - _BETWEEN_LOOKS
        self._began = 0.0

    def spend(self, steps: int) -> None:
        """Count steps.  Raises BudgetExceeded when none are left, or the time is up."""
        left = self._steps = self._steps - steps
        if left < self._look:
            self.look()

    def grow(self, size: int) -> None:
        """Count `size` bytes that are about to be taken.  Raises BudgetExceeded FB-2010."""
        self._bytes -= size
        if self._bytes < 0:
            self.look()

    def text(self, characters: int) -> None:
        """Count a text of that length that is about to be built."""
        self.grow(_ITEM + _CHARACTER * characters)
        self.spend(characters >> 10)

    def read(self, text: str) -> None:
        """Count a text that is about to be walked through."""
        self.spend(len(text) >> 10)

    def items(self, count: int) -> None:
        """Count a collection of that size that is about to be built."""
        left = self._steps = self._steps - count
        self._bytes -= _ITEM * count
        if left < self._look or self._bytes < 0:
            self.look()

    def tree(self, value: object) -> None:
        """Count a tree of JSON values that is about to stand in one more place."""
        if isinstance(value, str):
            self.text(len(value))
        elif isinstance(value, dict):
            self.items(len(value))
            for part in value.values():
                self.tree(part)
        elif isinstance(value, list):
            self.items(len(value))
            for part in value:
                self.tree(part)

    def look(self) -> None:
        """Look at all bounds, the clock too: after what may take long and counts as little."""
        bounds = self.bounds
        if self._steps < 0:
            raise BudgetExceeded("FB-2008", limit=bounds.steps)
        if self._bytes < 0:
            raise BudgetExceeded("FB-2010", limit=bounds.bytes)
        now = time.thread_time()
        self._began = self._began or now
        if now > self._began + bounds.seconds:
            raise BudgetExceeded("FB-2011", limit=f"{bounds.seconds:g}")
        if time.monotonic() > bounds.deadline:
            raise BudgetExceeded("FB-4027")
        if bounds.turn is not None and not bounds.turn.spend(self._began, now):
            raise BudgetExceeded("FB-4035")
        self._look = max(0, self._steps - _BETWEEN_LOOKS)


class Evaluation:
    """What has a budget, which is made when it is first asked for: most need none."""

    __slots__ = ("_budget",)

    def __init__(self, given: Budget | None = None) -> None:
        self._budget = given

    @property
    def budget(self) -> Budget:
        """What is left for the evaluation."""
        found = self._budget
        if found is None:
            found = self._budget = new_budget()
        return found

"""Python functions written as text: the one place where text becomes code.

https://docs.python.org/3/library/functions.html#exec

Everything that is generated (FHIRPath over JSON, the conditions and groups of maps) is built
here: lines, indentation, names that are not used yet, and the values that names stand for.
Strings of an expression or map enter the text by `repr` or as bound values, never as code.

There are two reasons to leave work to the interpreter, and both are said here: `Unwritten`,
found while a function is written, and `Fallback`, raised by a function for this input.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Self

__all__ = ["FALLBACKS", "Fallback", "FunctionText", "Unwritten", "is_noted", "note", "noting"]


class Unwritten(Exception):  # noqa: N818 - not an error: the interpreter answers
    """No function is written for this; the message says why."""


class Fallback(Exception):  # noqa: N818 - as above
    """This input is the interpreter's to read."""


FALLBACKS = (Fallback, AttributeError, TypeError, KeyError)
"""What a generated function over JSON raises for input that is not of the defined shape."""


_NOTED: ContextVar[list[str] | None] = ContextVar("noted", default=None)


@contextmanager
def noting() -> Iterator[list[str]]:
    """Note each text that becomes code meanwhile, for people to read."""
    texts: list[str] = []
    token = _NOTED.set(texts)
    try:
        yield texts
    finally:
        _NOTED.reset(token)


def note(text: str) -> None:
    """Note what is said about a text, where texts are noted."""
    noted = _NOTED.get()
    if noted is not None:
        noted.append(text)


def is_noted() -> bool:
    """Whether texts are noted, so that a function that is kept has to be written again."""
    return _NOTED.get() is not None


@dataclass(slots=True)
class _Unit:
    """What the functions of one text share."""

    space: dict[str, Any]
    max_lines: int
    max_depth: int
    functions: list[str] = field(default_factory=list)
    names: int = 0
    lines: int = 0


class FunctionText:
    """The body of one function, the functions it calls, and the values its names stand for.

    `names` are the names that the text may use; a text of more than `max_lines` lines in
    all, or nested more than `max_depth` deep, is `Unwritten`.
    """

    def __init__(
        self, names: Mapping[str, Any], *, max_lines: int = 1_000_000, max_depth: int = 90
    ) -> None:
        self._unit = _Unit(dict(names), max_lines, max_depth)
        self._lines: list[str] = []
        self.depth = 1

    @property
    def space(self) -> dict[str, Any]:
        """The names of the text and what they stand for."""
        return self._unit.space

    def another(self) -> Self:
        """An empty body of a further function of the same text."""
        made = object.__new__(type(self))
        made.__dict__.update(self.__dict__, _lines=[], depth=1)
        return made

    def line(self, text: str) -> None:
        """Write a line at the present depth."""
        unit = self._unit
        unit.lines += 1
        if unit.lines > unit.max_lines or self.depth > unit.max_depth:
            raise Unwritten("the function would be too large")
        self._lines.append("    " * self.depth + text)

    def function(self, text: str) -> None:
        """Keep a function that the text calls."""
        self._unit.functions.append(text)

    def mark(self) -> int:
        """Where the text ends now."""
        return len(self._lines)

    def take_back(self, mark: int) -> None:
        """Forget what was written since `mark`."""
        del self._lines[mark:]

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """Write `head` and what stands below it."""
        self.line(head)
        depth, before = self.depth, len(self._lines)
        self.depth += 1
        try:
            yield
            if len(self._lines) == before:
                self.line("pass")
        finally:
            self.depth = depth

    def bind(self, value: Any, stem: str = "x") -> str:
        """A name for `value` in the generated function."""
        name = self.fresh(stem)
        self.space[name] = value
        return name

    def fresh(self, stem: str = "v") -> str:
        """A name that is not used yet."""
        self._unit.names += 1
        return f"{stem}_{self._unit.names}"

    def body(self) -> str:
        """The lines so far."""
        return "\n".join(self._lines)

    def text(self, head: Sequence[str], end: str) -> str:
        """The functions, then the body between `head` and `end`."""
        return "\n".join([*self._unit.functions, *head, *self._lines, end])

    def compiled(self, head: Sequence[str], end: str, place: str) -> Callable[..., Any]:
        """The function ``group`` that `head` opens and `end` closes; `place` is for tracebacks."""
        return self.run(self.text(head, end), place)

    def run(self, text: str, place: str) -> Callable[..., Any]:
        """The function ``group`` that `text` defines."""
        note(text)
        exec(compile(text, place, "exec"), self.space)  # noqa: S102 - our own text, names bound
        made: Callable[..., Any] = self.space["group"]
        return made

"""The text of a generated function while it is written: lines, indentation, names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

__all__ = ["FunctionText"]


class FunctionText:
    """The body of one function, the functions it calls, and the values its names stand for."""

    def __init__(self, names: Mapping[str, Any]) -> None:
        self.space: dict[str, Any] = dict(names)
        self.depth = 1
        self._functions: list[str] = []
        self._lines: list[str] = []
        self._names = 0

    def line(self, text: str) -> None:
        """Write a line at the present depth."""
        self._lines.append("    " * self.depth + text)

    def function(self, text: str) -> None:
        """Keep a function that the text calls."""
        self._functions.append(text)

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

    def fresh(self, stem: str) -> str:
        """A name that is not used yet."""
        self._names += 1
        return f"{stem}_{self._names}"

    def compiled(self, head: Sequence[str], end: str, place: str) -> Callable[..., Any]:
        """The function ``group`` that `head` opens and `end` closes; `place` is for tracebacks."""
        text = "\n".join([*self._functions, *head, *self._lines, end])
        exec(compile(text, place, "exec"), self.space)  # noqa: S102 - our own text, names bound
        made: Callable[..., Any] = self.space["group"]
        return made

"""Functions of the fast path while they are written: names, lines, depth.

Part of `plain`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

from fhir_bridge.fhirpath.model import Model

__all__ = ["TREE", "Detour", "Lines", "NotPlain", "Sink", "Writer"]

TREE = "*"  # the type of a node of the tree protocol that is no dict: only get() is known
Sink = Callable[[str, str], None]  # writes what happens with an item: its name, its type
_MOST_LINES = 400
_MOST_DEPTH = 16


class NotPlain(Exception):  # noqa: N818 - not an error: another engine takes over
    """The expression needs the closures."""


class Detour(Exception):  # noqa: N818 - as above
    """This input needs the closures."""


class Writer:
    """Collects the functions of one expression."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.names = 0
        self.sources: list[str] = []
        self.lines = 0

    def fresh(self, stem: str = "v") -> str:
        """A name that is not used yet."""
        self.names += 1
        return f"{stem}{self.names}"

    def function(self, name: str, body: Lines) -> None:
        """Keep a function whose body is written."""
        self.sources.append(f"def {name}(node):\n" + "\n".join(body.lines))


class Lines:
    """The lines of one function."""

    def __init__(self, writer: Writer, lines: list[str]) -> None:
        self.writer = writer
        self.model = writer.model
        self.depth = 1
        self.lines: list[str] = []
        for line in lines:
            self.line(line)

    def another(self, lines: list[str]) -> Self:
        """The body of a helper function."""
        return type(self)(self.writer, lines)

    def line(self, text: str) -> None:
        """Write a line at the present depth; NotPlain when the function grows too large."""
        self.writer.lines += 1
        if self.writer.lines > _MOST_LINES or self.depth > _MOST_DEPTH:
            raise NotPlain
        self.lines.append("    " * self.depth + text)

    def deeper(self, head: str, name: str, kind: str, sink: Sink) -> None:
        """Write a head line and, below it, what the sink does."""
        self.line(head)
        self.depth += 1
        before = len(self.lines)
        sink(name, kind)
        if len(self.lines) == before:
            self.line("pass")
        self.depth -= 1

    def sunk(self, sink: Sink, name: str, kind: str) -> None:
        """Let the sink write its lines, or `pass` when it has none."""
        before = len(self.lines)
        sink(name, kind)
        if len(self.lines) == before:
            self.line("pass")

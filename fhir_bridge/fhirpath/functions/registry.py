"""Where FHIRPath functions are named: one decorator, one table.

A *value* function gets its arguments as collections, evaluated on the ``$this`` around the
call.  A *lambda* function gets them as closures and evaluates them itself.  A *type*
function gets the name of a type.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["FUNCTIONS", "Function", "function"]

Style = Literal["value", "lambda", "type"]


@dataclass(frozen=True, slots=True)
class Function:
    """A function: how many arguments it takes, in which style, and what it does."""

    name: str
    least: int
    most: int
    style: Style
    call: Callable[..., list[Any]]


FUNCTIONS: dict[str, Function] = {}


def function(
    name: str, least: int = 0, most: int | None = None, *, style: Style = "value"
) -> Callable[[Callable[..., list[Any]]], Callable[..., list[Any]]]:
    """Enter the decorated callable as `name`, with `least` to `most` arguments."""

    def enter(call: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
        FUNCTIONS[name] = Function(name, least, least if most is None else most, style, call)
        return call

    return enter

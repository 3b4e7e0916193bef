"""Target objects as Python variables of a generated function."""

from __future__ import annotations

from dataclasses import dataclass

from fhir_bridge.shapes import Shape

__all__ = ["NotStatic", "StaticNode"]


class NotStatic(Exception):  # noqa: N818 - not an error: the closure takes over
    """Where the value goes is known only when it is there."""


@dataclass(slots=True, eq=False)
class StaticNode:
    """A target object in a Python variable: its type is known, `holder` is its entry.

    A primitive has a `key`: its value stands under that key of the object in `name`.
    """

    name: str
    shape: Shape
    shape_name: str
    holder: str = ""
    may_be_none: bool = False
    key: str = ""

    def as_target(self) -> str:
        """The Python expression of what closures see."""
        made = f"Target({self.shape_name}, {self.name})"
        if self.key:
            made = f"Target({self.shape_name}, None, None, {self.key!r}, -1, {self.name})"
        elif self.holder:
            made = f"resource_target({self.shape_name}, {self.name}, {self.holder})"
        return f"({made} if {self.name} is not None else None)" if self.may_be_none else made

"""One item of input: its value, its type, and where it stands in the sender's terms.

A value is a scalar or a node, which is anything with ``get(name)`` and ``keys()``.
"""

from __future__ import annotations

from typing import Any

from fhir_bridge.shapes import Shape

__all__ = ["Item", "carried", "carry", "scalar", "text_of"]


class Item:
    """A value of the source with its shape, and the way back to the root."""

    __slots__ = ("companion", "index", "name", "parent", "shape", "value")

    def __init__(  # noqa: PLR0917 - made for every value that is read
        self,
        value: Any,
        shape: Shape | None = None,
        companion: Any = None,
        parent: Item | None = None,
        name: str = "",
        index: int = -1,
    ) -> None:
        self.value = value
        self.shape = shape
        self.companion = companion
        self.parent = parent
        self.name = name
        self.index = index

    @property
    def where(self) -> str:
        """The position in the sender's terms (``PID-3[2]``), or the path in the resource."""
        own = getattr(self.value, "where", None)
        if isinstance(own, str) and own:
            return own
        if self.parent is None:
            return self.name
        index = f"[{self.index}]" if self.index >= 0 else ""
        above = self.parent.where
        return f"{above}.{self.name}{index}" if above else f"{self.name}{index}"

    @property
    def type_name(self) -> str:
        """The name groups are chosen by; empty when the type is not known."""
        return self.shape.name if self.shape else ""


def scalar(value: Any) -> Any:
    """The plain scalar of a source value (a v2 value is its text), None for a tree."""
    if isinstance(value, str):
        return value if type(value) is str else carried(value)
    if value is None or isinstance(value, dict):
        return None
    return value if not hasattr(value, "get") else text_of(value)


def carried(text: str) -> str:
    """The plain text of a source value that is put somewhere; the value remembers that it was."""
    value: Any = text
    try:  # noqa: SIM105 - called for every value; a context manager costs as much again
        value.carried = True
    except AttributeError:  # text of a kind that keeps no mark
        pass
    return str.__str__(text)


_ANY_DEPTH = frozenset({"children", "descendants", "repeat"})


def carry(node: Any, names: frozenset[str]) -> None:
    """Mark what was asked of `node` under `names`, at any depth, as put somewhere."""
    if type(node) is list:
        for one in node:
            carry(one, names)
        return
    if isinstance(node, str):
        if type(node) is str:
            return
        carried(node)
    parts = getattr(node, "read_parts", None)
    for name in names.intersection(parts or ()):
        child = parts[name]  # type: ignore[index] # it is not empty
        if child is not node and child is not None:
            carry(child, names)
    if not names.isdisjoint(_ANY_DEPTH):
        values = getattr(node, "values", None)
        for name, child in (values if isinstance(values, dict) else {}).items():
            if name not in names and not isinstance(child, str):
                carry(child, names)


def text_of(value: Any) -> str | None:
    """The text of a node that is not a str itself: what XML keeps under ``xmlText``."""
    found = value.get("xmlText")
    if isinstance(found, list):
        return "".join(carried(part) for part in found)
    return None if found is None else carried(found)

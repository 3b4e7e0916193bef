"""``when_there(value, node)``: a value that counts only where something else is."""

from __future__ import annotations

from typing import Any

RESULT = "string"


def when_there(value: str | None, node: Any = None) -> str | None:
    """`value` when `node` is there, else nothing."""
    return None if node is None or node == [] else value

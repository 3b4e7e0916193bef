"""Bounds on columns as SQL; None leaves a side open."""

from __future__ import annotations

from collections.abc import Sequence

from fhir_bridge.database import Sql

__all__ = ["bounds"]


def bounds(columns: Sequence[tuple[str, float | None, float | None]]) -> Sql:
    """`` AND column >= ? AND column <= ?`` for the bounds that are given."""
    text, parameters = "", []
    for column, low, high in columns:
        if low is not None:
            text += f" AND {column} >= ?"
            parameters.append(low)
        if high is not None:
            text += f" AND {column} <= ?"
            parameters.append(high)
    return text, parameters

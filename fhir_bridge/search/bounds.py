"""How much one search may ask for, so that no database is overtaxed.

Why these: docs/decisions/adr-2611-bounds.md
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fhir_bridge.errors import BridgeError
from fhir_bridge.search.conditions import Condition, joined, size

__all__ = ["MAX_VALUES", "require_bounds"]

MAX_VALUES = 2_000
"""Values joined by commas in one parameter, and parameters in one search."""

MAX_TESTS = 1_000
"""Tests of one type that are not the look-up of an exact value (a date, the start of a name)."""

MAX_JOINED = 60
"""Conditions on one type that must hold at once: planning them takes PostgreSQL up to 3 s."""

MAX_TOTAL_TESTS = 4_000
"""The same over all types of a search."""


def require_bounds(conditions: Mapping[str, Sequence[Condition]]) -> None:
    """Raises BridgeError FB-4109 for what would cost a database too much."""
    in_all = 0
    for of_type in conditions.values():
        if sum(map(joined, of_type)) > MAX_JOINED:
            raise BridgeError("FB-4109", limit=MAX_JOINED)
        tests = sum(map(size, of_type))
        in_all += tests
        if tests > MAX_TESTS:
            raise BridgeError("FB-4109", limit=MAX_TESTS)
    if in_all > MAX_TOTAL_TESTS:
        raise BridgeError("FB-4109", limit=MAX_TOTAL_TESTS)

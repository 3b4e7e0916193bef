"""How much one search may ask for, so that no database is overtaxed.

Why these: docs/decisions/adr-2611-bounds.md
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fhir_bridge.errors import BridgeError
from fhir_bridge.search.conditions import AllOf, AnyOf, Chain, Condition, Has, Ids, Not, Posted

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
        if sum(map(_joined, of_type)) > MAX_JOINED:
            raise BridgeError("FB-4109", limit=MAX_JOINED)
        tests = sum(map(_size, of_type))
        in_all += tests
        if tests > MAX_TESTS:
            raise BridgeError("FB-4109", limit=MAX_TESTS)
    if in_all > MAX_TOTAL_TESTS:
        raise BridgeError("FB-4109", limit=MAX_TOTAL_TESTS)


def _size(condition: Condition) -> int:
    """How many tests a condition is made of; exact values, which are looked up, cost none."""
    match condition:
        case Posted() | Ids():
            return 0
        case AllOf(parts) | AnyOf(parts):
            return sum(map(_size, parts))
        case Not(inner):
            return _size(inner)
        case Has():
            return 1 + _size(condition.condition)
        case Chain():
            return sum(1 + _size(each) for each in condition.targets.values())
        case _:
            return 1


def _joined(condition: Condition) -> int:
    """How many conditions must hold at once."""
    return sum(map(_joined, condition.conditions)) if isinstance(condition, AllOf) else 1

"""Conditions of rules as generated Python, where the FHIRPath is simple."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhir_bridge.transform.expressions import CompiledExpression
from fhir_bridge.transform.scope import Scope

if TYPE_CHECKING:
    from fhir_bridge.transform.generate import GroupWriter

__all__ = ["NotSimple", "write_condition"]


class NotSimple(Exception):  # noqa: N818 - not an error: FHIRPath evaluates it
    """The expression needs the engine."""


def write_condition(
    writer: GroupWriter, expression: CompiledExpression, scope: Scope, name: str, general: str
) -> str:
    """The Python expression of a condition on the item `name`."""
    raise NotSimple

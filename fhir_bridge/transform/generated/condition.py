"""Conditions and computed values of rules as generated functions.

A function ``(run, frame, item)`` answers as `CompiledExpression` does; what it cannot read
that answers in its place (`expression_items.Detour`), errors with their places included.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from fhir_bridge.errors import BridgeError
from fhir_bridge.pattern import Costly
from fhir_bridge.transform.generated.expression import ExpressionWriter
from fhir_bridge.transform.generated.expression_answers import ANSWERS
from fhir_bridge.transform.generated.expression_items import READING, Detour
from fhir_bridge.transform.generated.expression_text import NotWritten, Written

if TYPE_CHECKING:
    from fhir_bridge.transform.expressions import CompiledExpression
    from fhir_bridge.transform.generated.text import FunctionText

__all__ = ["EXPRESSION_PARTS", "write_condition", "write_value"]

EXPRESSION_PARTS: dict[str, Any] = {
    **READING,
    **ANSWERS,
    "DETOURS": (Detour, AttributeError, TypeError, BridgeError, Costly),
}
"""The names that written expressions use."""


def write_condition(writer: FunctionText, expression: CompiledExpression) -> str:
    """The name of the function that says whether the expression holds."""
    return _written(writer, expression, expression.is_true, _holds, keeps=False)


def write_value(writer: FunctionText, expression: CompiledExpression) -> str:
    """The name of the function that gives the items of the expression."""
    given = writer.bind(expression.given, "given")
    return _written(
        writer,
        expression,
        expression.items,
        lambda written: f"{given}({written.text}, frame, item)",
        keeps=True,
    )


def _holds(written: Written) -> str:
    match written.kind:
        case "sure":
            return written.text
        case "truth":
            return f"({written.text}) is True"
    return f"holds({written.text})"


def _written(
    writer: FunctionText,
    expression: CompiledExpression,
    engine: Callable[..., Any],
    end: Callable[[Written], str],
    *,
    keeps: bool,
) -> str:
    general = writer.bind(engine, "engine")
    text = ExpressionWriter(
        writer, expression.source, expression.variable_slots, expression.other_names
    )
    with suppress(NotWritten, BridgeError):
        lines = text.body(expression.tree, keeps=keeps, end=end)
        name = writer.fresh("expression")
        writer.function(
            "\n".join(
                [
                    f"def {name}(run, frame, item):",
                    "    try:",
                    *lines,
                    "    except DETOURS:",
                    f"        return {general}(run, frame, item)\n",
                ]
            )
        )
        return name
    return general

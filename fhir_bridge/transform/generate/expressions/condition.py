"""Conditions and computed values of rules as generated functions.

A function ``(run, frame, item)`` answers as `CompiledExpression` does; what it cannot read
that answers in its place (`codegen.Fallback`), errors with their places included.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fhir_bridge.codegen import Fallback, FunctionText, Unwritten, is_noted, note
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhirpath.form import listing
from fhir_bridge.pattern import Costly
from fhir_bridge.transform.generate.expressions.answers import ANSWERS
from fhir_bridge.transform.generate.expressions.items import READING
from fhir_bridge.transform.generate.expressions.text import Written
from fhir_bridge.transform.generate.expressions.writer import ExpressionWriter

if TYPE_CHECKING:
    from fhir_bridge.transform.compile.expression import CompiledExpression

__all__ = ["EXPRESSION_PARTS", "write_condition", "write_value"]

EXPRESSION_PARTS: dict[str, Any] = {
    **READING,
    **ANSWERS,
    "FALLBACKS": (Fallback, AttributeError, TypeError, BridgeError, Costly),
}
"""The names that written expressions use."""


def write_condition(writer: FunctionText, expression: CompiledExpression) -> str:
    """The name of the function that says whether the expression holds."""
    make = _maker(expression, keeps=False)
    if make is None:
        return writer.bind(expression.is_true, "engine")
    return writer.bind(make(expression.is_true, None), "expression")


def write_value(writer: FunctionText, expression: CompiledExpression) -> str:
    """The name of the function that gives the items of the expression."""
    make = _maker(expression, keeps=True)
    if make is None:
        return writer.bind(expression.items, "engine")
    return writer.bind(make(expression.items, expression.given), "expression")


Maker = Callable[[Callable[..., Any], Callable[..., Any] | None], Callable[..., Any]]
_makers: dict[Any, Maker | None] = {}
_MAX_KEPT = 10_000


def _maker(expression: CompiledExpression, *, keeps: bool) -> Maker | None:
    """What makes the function ``(run, frame, item)``; None where the expression is not written.

    Kept for all maps: the same expression on the same slots stands in many groups.
    """
    slots, others = expression.variable_slots, expression.other_names
    key = (expression.source, tuple(slots.items()), tuple(others), keeps)
    if key not in _makers or is_noted():
        if len(_makers) >= _MAX_KEPT:
            _makers.clear()
        made: Maker | None = None
        if is_noted():
            steps = [" ".join(expression.source.split()), *listing(expression.form)]
            note("\n".join(f"# {step}" for step in steps))
        try:
            made = _made(expression, keeps=keeps)
        except (Unwritten, BridgeError) as reason:
            note(f"interpreted: {reason}")
        _makers[key] = made
        return made
    return _makers[key]


def _made(expression: CompiledExpression, *, keeps: bool) -> Maker:
    text = FunctionText(EXPRESSION_PARTS)
    writer = ExpressionWriter(text, expression.variable_slots, expression.other_names)
    body = writer.body(expression.form, keeps=keeps, end=_given if keeps else _holds)
    for line in (
        "def expression(run, frame, item):",
        "    try:",
        *body,
        "    except FALLBACKS:",
        "        return engine(run, frame, item)",
    ):
        text.line(line)
    return text.compiled(["def group(engine, given):"], "    return expression", "<map expression>")


def _given(written: Written) -> str:
    return f"given({written.text}, frame, item)"


def _holds(written: Written) -> str:
    match written.kind:
        case "sure":
            return written.text
        case "truth":
            return f"({written.text}) is True"
    return f"holds({written.text})"

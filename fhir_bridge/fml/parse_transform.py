"""Transforms and their parameters.

https://hl7.org/fhir/R5/mapping-language.html#transforms
"""

from __future__ import annotations

from decimal import Decimal

from fhir_bridge.fml.cursor import Cursor
from fhir_bridge.fml.expressions import quote
from fhir_bridge.fml.structure_map import Parameter, Transform
from fhir_bridge.fml.tokens import Token, unquote

__all__ = ["parse_parameters", "parse_transform"]

_CALENDAR_UNITS = frozenset(
    f"{unit}{plural}"
    for unit in ("year", "month", "week", "day", "hour", "minute", "second", "millisecond")
    for plural in ("", "s")
)


def parse_transform(cursor: Cursor, *, bare: bool = False) -> Transform:
    """Pass a literal, a variable, ``(FHIRPath)`` or ``name(parameters)``.

    A quantity (``5 'mg'``, ``2 days``) and the empty literal ``{}`` are FHIRPath.
    `bare`: a target without an element, where the grammar takes only names and literals
    as parameters of a call.
    """
    if cursor.sees("("):
        cursor.take()
        expression = cursor.expression(frozenset())
        cursor.expect(")")
        return Transform("evaluate", (Parameter("expression", expression),))
    if cursor.sees("{") and cursor.after().text == "}":
        cursor.take()
        cursor.take()
        return Transform("evaluate", (Parameter("expression", "{}"),))
    sign = int(cursor.sees("-", "+"))
    if cursor.after(sign).kind == "number" and _is_unit(cursor.after(sign + 1)):
        return Transform("evaluate", (_quantity(cursor),))
    if cursor.sees_kind("name") and cursor.after().text == "(":
        name = cursor.take().text
        if name == "evaluate" and not bare:
            return Transform(name, _evaluate_parameters(cursor))
        return Transform(name, parse_parameters(cursor, "a name or a literal"))
    return Transform("copy", (_parameter(cursor, "a value, a variable or a transform"),))


def _is_unit(token: Token) -> bool:
    """Whether the token behind a number makes it a quantity; a rule's name is double quoted."""
    return token.kind == "string" or (token.kind == "name" and token.text in _CALENDAR_UNITS)


def _quantity(cursor: Cursor) -> Parameter:
    sign = cursor.take().text if cursor.sees("-", "+") else ""
    value, unit = cursor.take().text, cursor.take()
    text = unit.text if unit.kind == "name" else quote(unquote(unit.text))
    return Parameter("expression", f"{sign}{value} {text}")


def parse_parameters(cursor: Cursor, what: str) -> tuple[Parameter, ...]:
    """Pass ``(a, 'b', 1)``."""
    cursor.expect("(")
    parameters: list[Parameter] = []
    while not cursor.sees(")"):
        parameters.append(_parameter(cursor, what))
        if not cursor.took(","):
            break
    cursor.expect(")")
    return tuple(parameters)


def _evaluate_parameters(cursor: Cursor) -> tuple[Parameter, ...]:
    """``evaluate(variable, FHIRPath)`` or ``evaluate(FHIRPath)``."""
    cursor.expect("(")
    parameters: list[Parameter] = []
    if cursor.sees_kind("name") and cursor.after().text == ",":
        parameters.append(Parameter("name", cursor.take().text))
        cursor.take()
    if cursor.sees_kind("string", "quoted") and cursor.after().text == ")":
        expression = unquote(cursor.take().text)
    else:
        expression = cursor.expression(frozenset({";"}))
    cursor.expect(")")
    return (*parameters, Parameter("expression", expression))


def _parameter(cursor: Cursor, what: str) -> Parameter:
    token = cursor.token
    if token.kind in ("string", "quoted"):
        return Parameter("string", unquote(cursor.take().text))
    if token.kind == "date":
        return Parameter("date", cursor.take().text[1:])
    if token.kind == "number" or cursor.sees("-", "+"):
        return _number(cursor, what)
    if token.kind == "external" and token.text.startswith("%"):
        cursor.take()
        name = token.text[1:]
        return Parameter("name", name if name[0] not in "`'" else unquote(name))
    if cursor.sees("true", "false"):
        return Parameter("boolean", cursor.take().text == "true")
    if token.kind in ("name", "delimited"):
        name = cursor.name(what)
        while cursor.took("."):
            name = f"{name}.{cursor.name('the name of an element')}"
        return Parameter("name", name)
    raise cursor.expected(what)


def _number(cursor: Cursor, what: str) -> Parameter:
    sign = cursor.take().text if cursor.sees("-", "+") else ""
    if not cursor.sees_kind("number"):
        raise cursor.expected(what)
    text = cursor.take().text
    if "." in text:
        return Parameter("decimal", Decimal(f"{sign}{text}"))
    return Parameter("integer", int(f"{sign}{text.removesuffix('L')}"))

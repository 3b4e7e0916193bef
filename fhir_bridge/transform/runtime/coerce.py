"""Coercion of scalars to primitive types.

https://hl7.org/fhir/R4/datatypes.html#primitive and, for JSON, https://hl7.org/fhir/R4/json.html

Promises: a decimal keeps its text; what does not fit is said, never guessed.  A mark
(:mod:`fhir_bridge.fhir.marks`) fits every type: a null as it is, a supposed value marked twice.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from fhir_bridge.fhir import written_decimal
from fhir_bridge.fhir.marks import USUAL, is_instead, is_null, is_usual, unmarked
from fhir_bridge.transform.runtime.source import carried

__all__ = ["MISFIT", "coercion_to", "type_of_scalar"]

_DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?\Z")
_INTEGER = re.compile(r"[+-]?[0-9]+\Z")
_DATE = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?\Z")
_DATE_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T[0-9:.]+(Z|[+-]\d{2}:\d{2})?\Z")
_TIME = re.compile(r"\d{2}:\d{2}(:\d{2}(\.\d+)?)?\Z")


MISFIT: Any = object()
"""What a coercion answers when the value is not of the type."""


def coercion_to(type_name: str) -> Callable[[Any], Any]:
    """The function that coerces a scalar to the primitive type; it answers MISFIT where it cannot."""
    return _COERCIONS.get(type_name, _text)


def type_of_scalar(value: Any) -> tuple[str, ...]:
    """The primitive types a bare value may have, most likely first."""
    if isinstance(value, bool):
        return ("boolean",)
    if isinstance(value, int):
        return ("integer", "positiveInt", "unsignedInt", "decimal", "string")
    if isinstance(value, Decimal):
        return ("decimal", "string")
    if is_usual(value):
        return type_of_scalar(unmarked(value))
    if _DATE.match(value):
        return ("string", "date", "dateTime", "code", "uri", "markdown")
    if _DATE_TIME.match(value):
        return ("string", "dateTime", "instant", "code", "uri", "markdown")
    if _TIME.match(value):
        return ("string", "time", "code", "uri", "markdown")
    return (
        "string",
        "code",
        "uri",
        "markdown",
        "canonical",
        "url",
        "id",
        "base64Binary",
        "boolean",
    )


def _text(value: Any) -> Any:
    if isinstance(value, str):
        return value if type(value) is str else carried(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal):
        return str(getattr(value, "text", value))
    return MISFIT


def _boolean(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value in ("true", "false", "1", "0"):
        return carried(value) in ("true", "1")
    return _of_mark(value, _boolean)


def _integer(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if (
        isinstance(value, str)
        and len(value) < 20
        and _INTEGER.match(text := carried(value).strip())
    ):
        return int(text)
    if isinstance(value, Decimal) and value == value.to_integral_value():
        return int(value)
    return _of_mark(value, _integer)


def _positive(least: int) -> Callable[[Any], Any]:
    def coerce(value: Any) -> Any:
        number = _integer(value)
        if type(number) is not int:
            return _of_mark(value, coerce)
        return MISFIT if number < least else number

    return coerce


def _decimal(value: Any) -> Any:
    if isinstance(value, Decimal) or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    if isinstance(value, str):
        text = carried(value).strip().removeprefix("+")
        if text.startswith("."):
            text = f"0{text}"
        if _DECIMAL.match(text):
            return written_decimal(text)
    return _of_mark(value, _decimal)


def _of_mark(value: Any, coerce: Callable[[Any], Any]) -> Any:
    """A marked text for an element that holds no text; MISFIT when there is no mark."""
    if is_null(value):
        return _text(value)
    if not is_usual(value):
        return MISFIT
    coerced = coerce(value.strip(USUAL))
    end = USUAL if is_instead(value) else ""
    return coerced if coerced is MISFIT else f"{USUAL * 2}{_text(coerced)}{end}"


_COERCIONS: dict[str, Callable[[Any], Any]] = {
    "boolean": _boolean,
    "integer": _integer,
    "positiveInt": _positive(1),
    "unsignedInt": _positive(0),
    "integer64": _integer,
    "decimal": _decimal,
}

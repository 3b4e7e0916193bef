"""Conversion functions (http://hl7.org/fhirpath/N1/#conversion)."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from fhir_bridge import ucum
from fhir_bridge.fhirpath.evaluation import Closure, Context, boolean, one, string
from fhir_bridge.fhirpath.functions.registry import function
from fhir_bridge.fhirpath_values import (
    CALENDAR_UNITS,
    Long,
    Node,
    Quantity,
    Temporal,
    fail,
    parse_temporal,
    read_date,
    value_of,
)

__all__ = ["to_text"]

_INTEGER = re.compile(r"[+-]?\d{1,20}", re.ASCII)
_DECIMAL = re.compile(r"[+-]?\d{1,60}(\.\d{1,60})?", re.ASCII)
_QUANTITY = re.compile(r"([+-]?\d{1,60}(?:\.\d{1,60})?)\s*(?:'([^']*)'|([a-zA-Z]+))?", re.ASCII)
_TRUE = frozenset({"true", "t", "yes", "y", "1", "1.0"})
_FALSE = frozenset({"false", "f", "no", "n", "0", "0.0"})
_MISSING = object()


@function("iif", 2, 3, style="lambda")
def _iif(
    focus: list[Any],
    context: Context,
    criterion: Closure,
    true_result: Closure,
    otherwise: Closure | None = None,
) -> list[Any]:
    one(focus, "the input of iif()")
    outer = context.this
    inner = focus
    context.this = inner
    try:
        found = criterion(inner, context)
        answer = boolean(found, "the criterion of iif()")
        if answer and not isinstance(value_of(found[0]), bool):
            raise fail("the criterion of iif() is no boolean")
        if answer:
            return true_result(inner, context)
        return otherwise(inner, context) if otherwise else []
    finally:
        context.this = outer


def _to_boolean(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    if isinstance(value, (int, Decimal)):
        return True if value == 1 else False if value == 0 else None
    if isinstance(value, str):
        text = value.casefold()
        return True if text in _TRUE else False if text in _FALSE else None
    return None


def _to_integer(value: Any) -> int | None:
    if isinstance(value, (bool, int)) or (isinstance(value, str) and _INTEGER.fullmatch(value)):
        number = int(value)
    else:
        return None
    return number if -(2**31) <= number < 2**31 else None


def _to_long(value: Any) -> Long | None:
    if isinstance(value, (bool, int)) or (isinstance(value, str) and _INTEGER.fullmatch(value)):
        number = int(value)
    else:
        return None
    return Long(number) if -(2**63) <= number < 2**63 else None


def _to_decimal(value: Any) -> Decimal | None:
    if isinstance(value, bool):
        return Decimal("1.0") if value else Decimal("0.0")
    if isinstance(value, int):
        return Decimal(value)
    if isinstance(value, Decimal):
        return value
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        return Decimal(value)
    return None


def _to_date(value: Any) -> Temporal | None:
    if isinstance(value, Temporal):
        if value.kind == "date":
            return value
        return _day(value) if value.kind == "datetime" else None
    if not isinstance(value, str):
        return None
    found = parse_temporal(value)
    if found is None:
        return None
    return found if found.kind == "date" else _day(found)


def _day(value: Temporal) -> Temporal:
    return Temporal("date", value.fields[:3], None, value.text.partition("T")[0])


def _to_datetime(value: Any) -> Temporal | None:
    if isinstance(value, str):
        value = parse_temporal(value)
    if isinstance(value, Temporal) and value.kind != "time":
        return Temporal("datetime", value.fields, value.zone, value.text)
    return None


def _to_time(value: Any) -> Temporal | None:
    if isinstance(value, Temporal):
        return value if value.kind == "time" else None
    return parse_temporal(value, "time") if isinstance(value, str) else None


def to_text(value: Any) -> str | None:
    """A System value as ``toString`` writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, (int, str, Temporal, Quantity)):
        return str(value)
    return None


def _to_quantity(value: Any) -> Quantity | None:
    if isinstance(value, Quantity):
        return value
    if isinstance(value, (bool, int, Decimal)):
        return Quantity(_to_decimal(value) or Decimal(0))
    if not isinstance(value, str):
        return None
    match = _QUANTITY.fullmatch(value.strip())
    if match is None:
        return None
    number, code, word = Decimal(match[1]), match[2], match[3]
    if word:
        unit = CALENDAR_UNITS.get(word)
        return Quantity(number, unit, calendar=True) if unit else None
    if code is not None and not ucum.is_valid(code):
        return None
    return Quantity(number, code or "1")


def _converted(focus: list[Any], name: str, convert: Callable[[Any], Any]) -> Any:
    """The converted single item; None when empty; `_MISSING` when it has no such form."""
    item = one(focus, f"{name}()")
    if item is None:
        return None
    value = value_of(item)
    if value is None:
        return None if type(item) is Node and item.value is None else _MISSING
    result = convert(value)
    return _MISSING if result is None else result


def _enter(name: str, convert: Callable[[Any], Any]) -> None:
    """Register ``toX()`` and ``convertsToX()``."""

    def to(focus: list[Any], _context: Context) -> list[Any]:
        result = _converted(focus, f"to{name}", convert)
        return [] if result is None or result is _MISSING else [result]

    def converts(focus: list[Any], _context: Context) -> list[Any]:
        result = _converted(focus, f"convertsTo{name}", convert)
        return [] if result is None else [result is not _MISSING]

    function(f"to{name}")(to)
    function(f"convertsTo{name}")(converts)


for _name, _convert in (
    ("Boolean", _to_boolean),
    ("Integer", _to_integer),
    ("Long", _to_long),
    ("Decimal", _to_decimal),
    ("Time", _to_time),
    ("String", to_text),
):
    _enter(_name, _convert)


def _enter_formatted(name: str, convert: Callable[[Any], Temporal | None]) -> None:
    """Register ``toX([format])`` and ``convertsToX([format])``; a format is for strings only."""

    def run(focus: list[Any], pattern: list[Any] | None, door: str) -> Any:
        codes = string(pattern or [], f"the format of {door}()")

        def by_format(value: Any) -> Temporal | None:
            if codes is None or not isinstance(value, str):
                return convert(value)
            found = read_date(value, codes)
            return None if found is None else convert(found)

        return _converted(focus, door, by_format)

    def to(focus: list[Any], _context: Context, pattern: list[Any] | None = None) -> list[Any]:
        result = run(focus, pattern, f"to{name}")
        return [] if result is None or result is _MISSING else [result]

    def converts(
        focus: list[Any], _context: Context, pattern: list[Any] | None = None
    ) -> list[Any]:
        result = run(focus, pattern, f"convertsTo{name}")
        return [] if result is None else [result is not _MISSING]

    function(f"to{name}", 0, 1)(to)
    function(f"convertsTo{name}", 0, 1)(converts)


_enter_formatted("Date", _to_date)
_enter_formatted("DateTime", _to_datetime)


def _in_unit(focus: list[Any], name: str, unit: list[Any]) -> Any:
    result = _converted(focus, name, _to_quantity)
    if result is None or result is _MISSING:
        if (
            result is _MISSING
            and type(focus[0]) is Node
            and type(focus[0].value) is dict
            and focus[0].value.get("comparator")
        ):
            raise fail(f"{name}() cannot take a Quantity with a comparator")
        return result
    wanted = string(unit, f"the unit of {name}()")
    if wanted is None:
        return result
    converted = result.converted(wanted.strip("'"))
    return _MISSING if converted is None else converted


@function("toQuantity", 0, 1)
def _quantity(focus: list[Any], _context: Context, unit: list[Any] | None = None) -> list[Any]:
    result = _in_unit(focus, "toQuantity", unit or [])
    return [] if result is None or result is _MISSING else [result]


@function("convertsToQuantity", 0, 1)
def _converts_to_quantity(
    focus: list[Any], _context: Context, unit: list[Any] | None = None
) -> list[Any]:
    result = _in_unit(focus, "convertsToQuantity", unit or [])
    return [] if result is None else [result is not _MISSING]

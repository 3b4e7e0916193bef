"""The transforms of the mapping language that compute a value from values.

https://hl7.org/fhir/R4/structuremap.html#transforms and
https://hl7.org/fhir/R4/valueset-map-transform.html.  `create`, `copy`, `evaluate`,
`translate`, `reference` and `pointer` need the run and live in `transform`.

Each takes plain scalars and gives an `Item` whose type picks the key of a choice element,
or None when its main parameter is absent.
"""

from __future__ import annotations

import html
import json
import re
import urllib.parse
from collections.abc import Callable
from typing import Any

from fhir_bridge import clock, fhirpath
from fhir_bridge.fhir.marks import NULL, is_null
from fhir_bridge.transform.runtime.coerce import MISFIT, coercion_to

__all__ = ["STANDARD", "cast"]

_MOMENT = re.compile(
    r"[0-9]{4}(-[0-9]{2}(-[0-9]{2}(T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?(Z|[+-][0-9]{2}:[0-9]{2})?)?)?)?"
)
_QUANTITY = re.compile(r"([<>]=?|ad)?\s*([+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)\s*(\S.*)?\Z")


def truncate(text: Any, length: Any) -> Any:
    """The first `length` characters."""
    return None if text is None else NULL if is_null(text) else str(text)[: int(length)]


def append(*parts: Any) -> Any:
    """The parts as one text; absent parts are left out; nothing from nothing."""
    given = [coercion_to("string")(part) for part in parts if part is not None]
    return "".join(given) if given else None


def uuid() -> str:
    """A fresh random UUID."""
    return clock.fresh_id()


def escape(text: Any, source: Any, target: Any = "") -> Any:
    """`text` from one escaping to another: ``text``, ``xml``, ``html``, ``json``, ``url``."""
    if text is None or is_null(text):
        return text
    plain = _UNESCAPES.get(str(source), str)(str(text))
    return _ESCAPES.get(str(target), str)(plain)


def code_with_system(*parts: Any) -> Any:
    """``c(system, code, display)``: a Coding."""
    system, code, display = (*parts, None, None, None)[:3]
    if code is None:
        return None
    return _without_none({"system": system, "code": code, "display": display})


def codeable_concept(*parts: Any) -> Any:
    """``cc(text)`` or ``cc(system, code, display)``: a CodeableConcept."""
    if len(parts) == 1:
        return None if parts[0] is None else {"text": parts[0]}
    coding = code_with_system(*parts)
    return None if coding is None else {"coding": [coding]}


def quantity(*parts: Any) -> Any:
    """``qty(text)`` ("5.5 mmol/L") or ``qty(value, unit, system, code)``: a Quantity."""
    if parts[0] is None:
        return None
    if len(parts) == 1:
        match = _QUANTITY.match(str(parts[0]).strip())
        if match is None:
            return {"value": NULL} if is_null(parts[0]) else MISFIT
        comparator, number, unit = match.groups()
        value = coercion_to("decimal")(number)
        return (
            value
            if value is MISFIT
            else _without_none({"value": value, "comparator": comparator, "unit": unit})
        )
    number, unit, system, code = (*parts, None, None, None)[:4]
    value = coercion_to("decimal")(number)
    if value is MISFIT:
        return MISFIT
    if system is not None and code is None:
        code = unit
    return _without_none({"value": value, "unit": unit, "system": system, "code": code})


def identifier(system: Any, value: Any, kind: Any = None) -> Any:
    """``id(system, value, type)``: an Identifier."""
    if value is None:
        return None
    kind_system = "http://terminology.hl7.org/CodeSystem/v2-0203"
    kinds = None if kind is None else {"coding": [{"system": kind_system, "code": kind}]}
    return _without_none({"type": kinds, "system": system, "value": value})


def contact_point(*parts: Any) -> Any:
    """``cp(value)`` or ``cp(system, value)``: a ContactPoint; the system is told by the look."""
    system, value = parts if len(parts) == 2 else (None, parts[0])
    if value is None:
        return None
    if system is None and is_null(value):
        return {"value": NULL}
    if system is None:
        text = str(value)
        if re.match(r"[a-z][a-z0-9+.-]*://", text):
            system = "url"
        elif "@" in text:
            system = "email"
        elif re.fullmatch(r"(tel:)?[+0-9()\- .x#*]+", text):
            system, value = "phone", text.removeprefix("tel:")
        else:
            system = "other"
    return {"system": system, "value": value}


def date_operation(value: Any, *amount: Any) -> Any:
    """``dateOp(date, '-5 days')`` or ``dateOp(date, -5, 'days')``: date arithmetic."""
    if value is None or is_null(value):
        return value
    text = " ".join(str(part) for part in amount).strip()
    match = re.fullmatch(r"([+-]?)\s*([0-9]+(?:\.[0-9]+)?)\s*'?([A-Za-z]+)'?", text)
    if match is None or _MOMENT.fullmatch(str(value)) is None:  # its text becomes an expression
        return MISFIT
    sign, number, unit = match.groups()
    found = fhirpath.compile(f"@{value} {sign or '+'} {number} {unit}")({})
    return found[0] if found else MISFIT


def cast(value: Any, type_name: str) -> Any:
    """`value` as the primitive `type_name`; MISFIT when it is not one."""
    if value is None:
        return None
    if isinstance(value, str) and type_name in ("integer", "positiveInt", "unsignedInt", "decimal"):
        value = value.strip()
    return coercion_to(type_name)(value)


def _without_none(value: dict[str, Any]) -> dict[str, Any]:
    return {key: child for key, child in value.items() if child is not None}


_ESCAPES: dict[str, Callable[[str], str]] = {
    "html": html.escape,
    "xml": html.escape,
    "json": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "url": lambda text: urllib.parse.quote(text, safe=""),
}
_UNESCAPES: dict[str, Callable[[str], str]] = {
    "html": html.unescape,
    "xml": html.unescape,
    "json": lambda text: str(json.loads(f'"{text}"')),
    "url": urllib.parse.unquote,
}

STANDARD: dict[str, tuple[Callable[..., Any], str, int, int]] = {
    "truncate": (truncate, "string", 2, 2),
    "escape": (escape, "string", 2, 3),
    "append": (append, "string", 1, 99),
    "uuid": (uuid, "string", 0, 0),
    "dateOp": (date_operation, "", 2, 3),
    "c": (code_with_system, "Coding", 2, 3),
    "cc": (codeable_concept, "CodeableConcept", 1, 3),
    "qty": (quantity, "Quantity", 1, 4),
    "id": (identifier, "Identifier", 2, 3),
    "cp": (contact_point, "ContactPoint", 1, 2),
}
"""Name -> function, type of the result (empty: told by the value), fewest and most parameters."""

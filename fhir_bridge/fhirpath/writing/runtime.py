"""What written functions call.

Part of `writing`; the names are those of `NAMES`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from fhir_bridge.budget import Evaluation
from fhir_bridge.codegen import Fallback
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhirpath.functions.references import reference_type
from fhir_bridge.fhirpath_values import Node, distinct
from fhir_bridge.pattern import Costly, compile_pattern

__all__ = ["NAMES"]

_FEW = 12
_TEMPORAL = frozenset({"date", "dateTime", "instant", "time"})


def _unique(pairs: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """Pairs of type and value without repetitions, by the equality of the language."""
    if len(pairs) < 2:
        return pairs
    kept: list[tuple[str, Any]] = []
    if len(pairs) <= _FEW and not any(kind in _TEMPORAL for kind, _ in pairs):
        for pair in pairs:
            value = pair[1]
            own = type(value)
            for _, other in kept:
                if type(other) is own and other == value:
                    break
            else:
                if own is not dict and own is not str:
                    return _unique_items(pairs)
                kept.append(pair)
        return kept
    return _unique_items(pairs)


def _unique_items(pairs: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    found = distinct((Node(value, type_name) for type_name, value in pairs), Evaluation())
    return [(item.type_name, item.value) for item in found]


def _refers(value: dict[str, Any], type_name: str) -> bool | None:
    """Whether a Reference points to a resource of the type; contained ones are the interpreter's."""
    found = reference_type(value)
    if found is None:
        raise Fallback
    return found == type_name


def _number(value: Any) -> int | Decimal:
    """A JSON number; anything else is the interpreter's to judge."""
    if type(value) is int or type(value) is Decimal:
        return value
    raise Fallback


def _truth(value: Any) -> bool:
    """A JSON boolean; anything else is the interpreter's to judge."""
    if value is True or value is False:
        return bool(value)
    raise Fallback


def _matched(text: str, source: str) -> bool:
    """``matches()`` with a pattern that stands in the expression; a refusal is the interpreter's."""
    try:
        return compile_pattern(source).search(text)
    except (BridgeError, Costly):
        raise Fallback from None


NAMES: dict[str, Any] = {
    "Decimal": Decimal,
    "Fallback": Fallback,
    "matched": _matched,
    "number": _number,
    "refers": _refers,
    "truth": _truth,
    "unique": _unique,
}

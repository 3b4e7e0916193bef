"""FHIR's Quantity as System.Quantity, and what is left to say when it has no form in UCUM.

https://hl7.org/fhir/R4/fhirpath.html#quantity.  A quantity of another system than UCUM, with
a comparator or in a currency is no System.Quantity; two such may still be ordered when they
are written in the same unit.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from fhir_bridge.fhirpath_values.quantity import Quantity

__all__ = ["UCUM", "is_quantity", "order_as_written", "quantity_of", "written"]

UCUM = "http://unitsofmeasure.org"
_TYPES = frozenset({"", "Quantity", "Age", "Duration", "Count", "Distance", "Money"})
_DURATIONS = frozenset({"a", "mo", "wk", "d", "h", "min", "s", "ms"})
_NUMBERS = (int, Decimal, float)


def quantity_of(value: Any, type_name: str) -> Quantity | None:
    """The System.Quantity of an element; None when it has none."""
    if type(value) is not dict or type_name not in _TYPES or "currency" in value:
        return None
    number = value.get("value")
    if type(number) not in _NUMBERS or value.get("comparator"):
        return None
    system, code = value.get("system"), value.get("code")
    if type_name == "" and "code" not in value and "unit" not in value:
        return None
    if system and system != UCUM:
        return None
    unit = code or value.get("unit") or "1"
    if type(unit) is not str:
        return None
    return Quantity(Decimal(str(number)), unit, dual=system == UCUM and code in _DURATIONS)


def written(quantity: Quantity) -> dict[str, Any]:
    """A System.Quantity as the JSON of FHIR's."""
    if quantity.calendar:
        return {"value": quantity.value, "unit": quantity.unit}
    unit = quantity.unit
    return {"value": quantity.value, "unit": unit, "system": UCUM, "code": unit}


def is_quantity(value: Any, type_name: str) -> bool:
    """Whether an element is a quantity, be it in UCUM or not."""
    return type(value) is dict and type_name in _TYPES and "value" in value


def order_as_written(left: dict[str, Any], right: dict[str, Any]) -> int | None:
    """-1, 0 or 1 for two quantities of the same unit; None when that is not known."""
    if any(left.get(name) != right.get(name) for name in ("system", "code", "currency")):
        return None
    if "code" not in left and left.get("unit") != right.get("unit"):
        return None
    one, other = left.get("value"), right.get("value")
    if not isinstance(one, _NUMBERS) or not isinstance(other, _NUMBERS):
        return None
    if left.get("comparator") or right.get("comparator"):
        return None
    return int(one > other) - int(one < other)

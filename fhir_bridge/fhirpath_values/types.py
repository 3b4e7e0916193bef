"""``is``, ``as``, ``ofType`` and ``type()``: what type an item has.

http://hl7.org/fhirpath/N1/#types-and-reflection, https://hl7.org/fhir/R4/fhirpath.html#types.
Elements of FHIR have FHIR types, literals and results have System types.  A node of unknown
type counts as the System and the FHIR type that its JSON value shows.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from fhir_bridge.fhirpath_values.model import PRIMITIVES, SYSTEM_OF, SYSTEM_TYPES, Model
from fhir_bridge.fhirpath_values.node import Node
from fhir_bridge.fhirpath_values.quantity import Quantity
from fhir_bridge.fhirpath_values.temporal import Long, Temporal

__all__ = ["cast", "fhir_name", "is_type", "of_type", "type_info"]

_TEMPORAL = {"date": "Date", "datetime": "DateTime", "time": "Time"}
_FHIR = {
    "Boolean": "boolean",
    "Integer": "integer",
    "Long": "integer64",
    "Decimal": "decimal",
    "String": "string",
    "Date": "date",
    "DateTime": "dateTime",
    "Time": "time",
    "Quantity": "Quantity",
}


def system_type(item: Any) -> str:
    """The System type of a System value."""
    if isinstance(item, bool):
        return "Boolean"
    if isinstance(item, Long):
        return "Long"
    if isinstance(item, int):
        return "Integer"
    if isinstance(item, (Decimal, float)):
        return "Decimal"
    if isinstance(item, Temporal):
        return _TEMPORAL[item.kind]
    if isinstance(item, Quantity):
        return "Quantity"
    return "String" if isinstance(item, str) else "Any"


def fhir_name(item: Any) -> str:
    """The type of an item in FHIR's names (``HumanName``, ``string``); "" when unknown."""
    if type(item) is Node:
        if item.type_name.startswith("System."):
            return _FHIR.get(item.type_name[7:], "")
        if not item.type_name and isinstance(item.value, (str, bool, int, Decimal, float)):
            return _FHIR.get(system_type(item.value), "")
        return str(item.type_name)
    return _FHIR.get(system_type(item), "")


def type_info(item: Any, model: Model) -> tuple[str, str]:
    """Namespace and name, as ``type()`` tells them."""
    if type(item) is not Node:
        return "System", system_type(item)
    name = item.type_name
    if name.startswith("System."):
        return "System", name[7:]
    if not name:
        if isinstance(item.value, (str, bool, int, Decimal, float)):
            return "System", system_type(item.value)
        return "", ""
    if "." in name and model.definitions is not None:
        return "FHIR", model.parent(name) or name
    return "FHIR", name


def is_type(item: Any, name: str, model: Model) -> bool:
    """Whether the item is of type `name` or of one that derives from it."""
    namespace, local = _split(name, model)
    if type(item) is not Node:
        if namespace == "FHIR":
            return False
        return local == "Any" or system_type(item) == local
    own = item.type_name
    if own.startswith("System."):
        if namespace == "System":
            return own[7:] == local
        return namespace == "FHIR" and local in ("Element", _FHIR.get(own[7:], ""))
    if not own:
        return _looks_like(item, namespace, local)
    if namespace == "System":
        return own == "id" and local == "String" and name == "System.String"
    return model.is_a(own, local) or own == name


def _split(name: str, model: Model) -> tuple[str, str]:
    """Namespace and local name; an unqualified name is FHIR's before it is System's."""
    namespace, _, local = name.rpartition(".")
    if namespace in ("System", "FHIR"):
        return namespace, local
    if namespace:
        return "FHIR", name
    if name in SYSTEM_TYPES and (name != "Quantity" or model.definitions is None):
        return "System" if name != "Quantity" else "", name
    return "FHIR" if name not in SYSTEM_TYPES else "", name


def _looks_like(item: Node, namespace: str, local: str) -> bool:
    value = item.value
    if isinstance(value, (str, bool, int, Decimal, float)):
        shown = system_type(value)
        if namespace != "FHIR" and shown == local:
            return True
        return namespace != "System" and (
            _FHIR.get(shown) == local or (SYSTEM_OF.get(local) == shown and local != "base64Binary")
        )
    if local in ("Element", "BackboneElement") and namespace != "System":
        return type(value) is dict
    if local == "Quantity" and namespace != "System":
        return type(value) is dict and "value" in value and ("code" in value or "unit" in value)
    return False


def of_type(items: list[Any], name: str, model: Model) -> list[Any]:
    """The items that are of type `name`.

    Primitives must have exactly this type (a code is not filtered as a string); a structure
    may derive from it.  ``ofType(System.String)`` also takes FHIR primitives of that kind.
    """
    return [item for item in items if _fits(item, name, model)]


def _fits(item: Any, name: str, model: Model) -> bool:
    if type(item) is Node and item.type_name in PRIMITIVES:
        if name.startswith("System."):
            return SYSTEM_OF[item.type_name] == name[7:]
        local = name.removeprefix("FHIR.")
        return local in (item.type_name, "Element")
    return is_type(item, name, model)


def cast(items: list[Any], name: str, model: Model) -> list[Any]:
    """``as``: the items that are of the type.  The caller has checked how many there are."""
    return of_type(items, name, model)

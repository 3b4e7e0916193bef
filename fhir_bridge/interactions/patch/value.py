"""The values of FHIRPath Patch: a Parameters part as the JSON of an element.

https://hl7.org/fhir/R4/fhirpatch.html#concept: a value is a ``value[x]`` of a datatype, or,
for the nested types that have no name, one part for each element.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import ElementDefinition, definitions
from fhir_bridge.interactions.patch.path import element_key

__all__ = ["Value", "read_value"]


@dataclass(frozen=True, slots=True)
class Value:
    """A value for JSON property `key`; `companion` is what is under ``_key``."""

    key: str
    json: Any
    companion: dict[str, Any] | None = None


def read_value(owner: str, name: str, part: dict[str, Any], path: str) -> Value:
    """The value in `part` for element `name` of type `owner`.

    Raises BridgeError FB-4023 when the element is not one of `owner` or the value's type
    is not one of the element's.
    """
    if name == "value" and owner == "Extension" and "part" in part:
        raise BridgeError("FB-4023", path=path[:200], reason="an extension's value has a type")
    if "part" in part:
        element = _element(owner, name, "", path)
        return Value(element.key, _anonymous(element, part["part"], path))
    if "resource" in part:
        return Value(_element(owner, name, "", path).key, part["resource"])
    found = next((key for key in part if key.lstrip("_").startswith("value")), None)
    if found is None:
        raise BridgeError("FB-4020", reason="the part value holds nothing")
    suffix = found.lstrip("_").removeprefix("value")
    element = _element(owner, name, suffix, path)
    value = part.get(f"value{suffix}")
    _check_shape(element, value, path)
    return Value(element.key, value, part.get(f"_value{suffix}"))


def _element(owner: str, name: str, suffix: str, path: str) -> ElementDefinition:
    shape = definitions().types[owner]
    key = element_key(shape, name, suffix)
    if key is None and name in shape.elements:
        key = name
    if key is None:
        reason = f"{owner} has no {name}{f' of type {suffix}' if name in shape.choices else ''}"
        raise BridgeError("FB-4023", path=path[:200], reason=reason)
    return shape.elements[key]


def _anonymous(element: ElementDefinition, parts: Any, path: str) -> dict[str, Any]:
    """An object of a nested type from its parts."""
    built: dict[str, Any] = {}
    if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
        raise BridgeError("FB-4020", reason="part is a list of objects")
    for part in parts:
        value = read_value(element.type, str(part.get("name")), part, path)
        if definitions().types[element.type].elements[value.key].is_list:
            built.setdefault(value.key, []).append(value.json)
        else:
            built[value.key] = value.json
        if value.companion is not None:
            built[f"_{value.key}"] = value.companion
    return built


def _check_shape(element: ElementDefinition, value: Any, path: str) -> None:
    """Refuse an object where a primitive belongs, and the reverse."""
    shape = definitions().types.get(element.type)
    is_primitive = shape is None or shape.kind == "primitive"
    if value is not None and is_primitive == isinstance(value, dict | list):
        reason = f"{element.key} is {element.type}"
        raise BridgeError("FB-4023", path=path[:200], reason=reason)

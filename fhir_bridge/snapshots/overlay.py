"""What a differential states about an element, laid over what its base says.

https://hl7.org/fhir/R4/elementdefinition.html#interpretation, https://hl7.org/fhir/R4/profiling.html

Most facts replace those of the base; constraints, mappings, aliases and conditions are added;
a definition that begins with ``...`` is appended; a binding without value set keeps the base's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fhir_bridge.errors import BridgeError

__all__ = ["overlaid", "refuse"]

_TEXTS = ("definition", "comment", "requirements")
_ADDED = {"alias": None, "condition": None, "constraint": "key", "mapping": None}
_OUTSIDE = frozenset({"id", "path"})
_FHIR_TYPE = "http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type"
_BINDABLE = frozenset(
    {"code", "Coding", "CodeableConcept", "Quantity", "string", "uri", "Resource"}
)
_OPEN = frozenset({"Resource", "DomainResource", "Element", "BackboneElement"})


def refuse(place: str, reason: str) -> BridgeError:
    """FB-3033 at an element of the differential."""
    return BridgeError("FB-3033", place, reason=reason)


def overlaid(
    base: Mapping[str, Any], stated: Mapping[str, Any], source: str, place: str
) -> dict[str, Any]:
    """The element that follows; `source` is the URL of the profile that states.

    Raises BridgeError FB-3033 when the base does not allow what is stated.
    """
    _require_types(base, stated, place)
    if base.get("mustSupport") is True and stated.get("mustSupport") is False:
        raise refuse(place, "the base says mustSupport, which cannot be taken back")
    found = dict(base)
    for key, value in stated.items():
        if key in _OUTSIDE:
            continue
        if key in _ADDED:
            found[key] = _added(base.get(key, ()), _with_source(key, value, source), _ADDED[key])
        elif key in _TEXTS and value.startswith("..."):
            found[key] = f"{base.get(key, '')}\n{value[3:]}".strip()
        elif key == "binding":
            found[key] = {**_value_set(base.get(key, {})), **value}
        elif key == "slicing":
            found[key] = _slicing(base.get(key, {}), value)
        else:
            found[key] = value
    if "type" in stated:
        found.pop("contentReference", None)
    _require_value_type(found, stated, place)
    names = {name for kind in found.get("type", ()) for name in _names(kind)}
    if names and names.isdisjoint(_BINDABLE):
        found.pop("binding", None)  # it would say nothing
    return found


def _added(base: Any, stated: Any, key: str | None) -> list[Any]:
    def same(one: Any, other: Any) -> bool:
        return bool(one.get(key) == other.get(key)) if key else bool(one == other)

    kept = [one for one in base if not any(same(one, other) for other in stated)]
    return [*kept, *stated]


def _with_source(key: str, value: Any, source: str) -> Any:
    if key != "constraint":
        return value
    return [rule if "source" in rule else {**rule, "source": source} for rule in value]


def _value_set(binding: Mapping[str, Any]) -> dict[str, Any]:
    return {"valueSet": binding["valueSet"]} if "valueSet" in binding else {}


def _slicing(base: Mapping[str, Any], stated: Mapping[str, Any]) -> dict[str, Any]:
    """Discriminators of the base stay; closed slicing stays closed."""
    found = {**base, **stated}
    if base.get("discriminator"):
        found["discriminator"] = _added(
            stated.get("discriminator", ()), base["discriminator"], None
        )
    if base.get("rules") == "closed":
        found["rules"] = "closed"
    return found


def _require_types(base: Mapping[str, Any], stated: Mapping[str, Any], place: str) -> None:
    allowed = {name for kind in base.get("type", ()) for name in _names(kind)}
    if not allowed or allowed & _OPEN:
        return
    for kind in stated.get("type", ()):
        if not allowed & _names(kind):
            listed = ", ".join(sorted(allowed))
            raise refuse(place, f"the type {kind.get('code')} is none of the base's ({listed})")


def _require_value_type(element: Mapping[str, Any], stated: Mapping[str, Any], place: str) -> None:
    """A fixed value or pattern is of one of the element's types."""
    names = {name.lower() for kind in element.get("type", ()) for name in _names(kind)}
    for key in stated:
        for prefix in ("fixed", "pattern"):
            name = key.removeprefix(prefix)
            if name != key and name[:1].isupper() and names and name.lower() not in names:
                raise refuse(place, f"{key} is of no type of the element")


def _names(kind: Mapping[str, Any]) -> set[str]:
    """The name of a type; a FHIRPath type also has the name that it has in FHIR."""
    named = {
        str(extension.get("valueUrl") or extension.get("valueUri"))
        for extension in kind.get("extension", ())
        if extension.get("url") == _FHIR_TYPE
    }
    code = str(kind.get("code", ""))
    is_string = code.endswith("System.String")
    return {code, *named, *(("string", "uri", "id", "code") if is_string else ())}

"""Parts of resources: ``_summary`` and ``_elements``.

https://hl7.org/fhir/R4/search.html#summary, https://hl7.org/fhir/R4/search.html#elements

Mandatory and modifier elements always stay, as the specification asks of both; what was
shortened carries the tag SUBSETTED so that nobody writes it back.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import Resource, definitions, parse_json, render_json
from fhir_bridge.interactions.reply import Reply, of_stored
from fhir_bridge.store import Stored

__all__ = ["Subset", "of_part", "parse_subset"]

_ALWAYS = frozenset({"resourceType", "id", "meta"})
_MODES = ("true", "text", "data", "count", "false")
_TAG = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "code": "SUBSETTED",
}


class Subset:
    """What is asked of each resource: a summary mode, or elements by name."""

    __slots__ = ("elements", "mode")

    def __init__(self, mode: str, elements: frozenset[str]) -> None:
        self.mode = mode
        self.elements = elements

    @property
    def is_count(self) -> bool:
        """Only the total is wanted."""
        return self.mode == "count"

    def apply(self, body: bytes) -> bytes:
        """The wanted part of a stored body."""
        return render_json(self.of(parse_json(body)))

    def of(self, resource: Resource) -> Resource:
        """The wanted part of `resource`."""
        resource_type = str(resource["resourceType"])
        if self.mode == "true":
            kept = _summary(resource, resource_type)
        elif self.mode == "data":
            kept = {key: value for key, value in resource.items() if key != "text"}
        else:
            wanted = {"text"} if self.mode == "text" else self.elements
            kept = _reduced(resource, resource_type, wanted)
        kept["meta"] = _tagged(kept.get("meta", {}))
        return kept


def parse_subset(summary: str, elements: str, resource_type: str = "") -> Subset | None:
    """The subset that ``_summary`` and ``_elements`` ask for; None: whole resources.

    Raises BridgeError FB-4025 for an unknown mode or, where the type is known, element.
    """
    if summary and summary not in _MODES:
        raise BridgeError("FB-4025", name="_summary", reason=f"it is one of {', '.join(_MODES)}")
    if summary in ("true", "text", "data", "count"):
        return Subset(summary, frozenset())
    names = frozenset(
        name.strip().removeprefix(f"{resource_type}.") for name in elements.split(",")
    )
    names -= {""}
    if not names:
        return None
    if resource_type in definitions().resource_types:
        shape = definitions().types[resource_type]
        unknown = sorted(names - shape.elements.keys() - shape.choices.keys() - _ALWAYS)
        if unknown:
            reason = f"{resource_type} has no {', '.join(unknown)[:100]}"
            raise BridgeError("FB-4025", name="_elements", reason=reason)
    return Subset("", names)


def of_part(stored: Stored, query: Sequence[tuple[str, str]]) -> Reply:
    """A read's answer: the stored bytes, or the part that the query asks for."""
    reply = of_stored(stored)
    asked = dict(query)
    if "_summary" not in asked and "_elements" not in asked:
        return reply
    subset = parse_subset(
        asked.get("_summary", ""), asked.get("_elements", ""), stored.resource_type
    )
    if subset is None or subset.is_count:
        return reply
    return replace(reply, body=subset.apply(reply.body))


def _reduced(resource: Resource, resource_type: str, wanted: Collection[str]) -> Resource:
    keys = _keys(resource_type)
    return {
        key: value
        for key, value in resource.items()
        if key in _ALWAYS
        or (name := key.lstrip("_")) in wanted
        or keys.get(name, ("", False, False))[0] in wanted
        or keys.get(name, ("", True, False))[1]
    }


def _summary(node: dict[str, Any], type_name: str) -> dict[str, Any]:
    """Elements marked as summary, at every level of the resource's own nested types."""
    keys = _keys(type_name)
    kept: dict[str, Any] = {}
    for key, value in node.items():
        _choice, needed, marked = keys.get(key.lstrip("_"), ("", False, False))
        if key in _ALWAYS or needed or marked:
            kept[key] = _below(value, type_name, key)
    return kept


def _below(value: Any, type_name: str, key: str) -> Any:
    element = definitions().types[type_name].elements.get(key)
    if element is None or definitions().types[element.type].kind != "backbone":
        return value
    if isinstance(value, list):
        return [_summary(item, element.type) for item in value]
    return _summary(value, element.type)


@cache
def _keys(type_name: str) -> dict[str, tuple[str, bool, bool]]:
    """JSON key -> (name of its choice, must always stay, marked as summary)."""
    return {
        key: (element.choice, element.min > 0 or element.is_modifier, element.is_summary)
        for key, element in definitions().types[type_name].elements.items()
    }


def _tagged(meta: dict[str, Any]) -> dict[str, Any]:
    return {**meta, "tag": [*meta.get("tag", ()), _TAG]}

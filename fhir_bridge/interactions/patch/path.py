"""The paths of FHIRPath Patch: from text to places in a resource that can be changed.

https://hl7.org/fhir/R4/fhirpatch.html#concept

FHIRPath answers values; a patch needs to know where they stand.  A path is therefore read
as a chain of steps: element names are followed through the definitions, indexes and
``first()``/``last()`` choose, and any other function (``where(...)``, ``ofType(...)``) is a
question that the FHIRPath language answers for each place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fhir_bridge import fhirpath
from fhir_bridge.budget import BudgetExceeded
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import Resource, TypeDefinition, definitions

__all__ = ["Place", "element_key", "find_places", "split_path"]

_STEP = re.compile(r"\s*(?:([A-Za-z_][A-Za-z0-9_]*)|`([^`]+)`)\s*")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value is: under `key` of `holder`, at `index` when the element repeats.

    `type` is the FHIR type of the value; `above` is the place of `holder` itself (None for
    the resource).
    """

    holder: dict[str, Any]
    key: str
    index: int | None
    type: str
    above: Place | None

    @property
    def value(self) -> Any:
        """The value as JSON."""
        held = self.holder.get(self.key)
        return held if self.index is None or held is None else held[self.index]

    def companion(self) -> dict[str, Any] | None:
        """The object with id and extensions of a primitive (``_birthDate``), if any."""
        held = self.holder.get(f"_{self.key}")
        if self.index is None or not isinstance(held, list):
            return held if isinstance(held, dict) else None
        return held[self.index] if self.index < len(held) else None


def find_places(resource: Resource, path: str) -> list[Place]:
    """All places that `path` finds.  Raises BridgeError FB-4023 for a path that is no chain."""
    root_type = str(resource["resourceType"])
    root = Place({root_type: resource}, root_type, None, root_type, None)
    steps = split_path(path)
    if steps and steps[0] in (root_type, "%resource", "%context", "$this"):
        steps = steps[1:]
    places = [root]
    for step in steps:
        places = _take(step, places, path)
    return places


def split_path(path: str) -> list[str]:
    """The steps of a chain, a filter and an index being steps of their own.

    >>> split_path("Patient.name[0].given.where($this = 'a.b')")
    ['Patient', 'name', '[0]', 'given', "where($this = 'a.b')"]
    """
    steps: list[str] = []
    start = depth = 0
    quote = ""
    for position, character in enumerate(path):
        if quote:
            quote = "" if character == quote and path[position - 1] != "\\" else quote
        elif character in "'\"`":
            quote = character
        elif character in "([":
            if character == "[" and depth == 0:
                steps.append(path[start:position])
                start = position
            depth += 1
        elif character in ")]":
            depth -= 1
        elif character == "." and depth == 0:
            steps.append(path[start:position])
            start = position + 1
        if depth < 0:
            break
    steps.append(path[start:])
    if depth or quote or not path.strip():
        raise BridgeError("FB-4023", path=path[:200], reason="the path is not complete")
    return [step.strip() for step in steps if step.strip()]


def element_key(owner: TypeDefinition, name: str, suffix: str = "") -> str | None:
    """The JSON key of element `name` of `owner`; `suffix` names the type of a choice.

    >>> element_key(definitions().types["Observation"], "value", "Quantity")
    'valueQuantity'
    """
    if name in owner.choices:
        key = f"{name}{suffix[:1].upper()}{suffix[1:]}"
        return key if key in owner.choices[name] else None
    return name if name in owner.elements else None


def _take(step: str, places: list[Place], path: str) -> list[Place]:
    """`places` after one step."""
    if step.startswith("["):
        index = step[1:-1].strip()
        if not (index.isascii() and index.isdigit() and len(index) < 10):
            raise BridgeError("FB-4023", path=path[:200], reason=f"{step} is not an index")
        return places[int(index) : int(index) + 1]
    if step in ("first()", "last()", "single()"):
        if step == "single()" and len(places) > 1:
            raise BridgeError("FB-4023", path=path[:200], reason="single() finds several")
        return places[-1:] if step == "last()" else places[:1]
    name = _STEP.fullmatch(step)
    if name:
        chosen = name.group(1) or name.group(2)
        return [child for place in places for child in _children(place, chosen, path)]
    if step.startswith("extension("):
        found = [child for place in places for child in _children(place, "extension", path)]
        return _filter_places(f"where(url = {step[len('extension(') : -1]})", found, path)
    if re.match(r"[A-Za-z]+\s*\(", step):
        return _filter_places(step, places, path)
    raise BridgeError("FB-4023", path=path[:200], reason=f"{step} is not a step of a patch path")


def _filter_places(question: str, places: list[Place], path: str) -> list[Place]:
    """The places for which the FHIRPath function finds something."""
    kept = []
    for place in places:
        try:
            expression = fhirpath.compile(question, definitions=definitions(), root_type=place.type)
            found = expression(place.value)
        except BudgetExceeded:
            raise
        except BridgeError as error:
            raise BridgeError("FB-4023", path=path[:200], reason=error.issues[0].sentence) from None
        if found:
            kept.append(place)
    return kept


def _children(place: Place, name: str, path: str) -> Iterator[Place]:
    """The places of element `name` below `place`."""
    owner_type = _actual_type(place)
    owner = definitions().types.get(owner_type)
    held = place.companion() if owner and owner.kind == "primitive" else place.value
    if owner is None:
        raise BridgeError("FB-4023", path=path[:200], reason=f"{owner_type} is not a type")
    keys = owner.choices.get(name, (name,))
    if not any(key in owner.elements for key in keys):
        raise BridgeError("FB-4023", path=path[:200], reason=f"{owner_type} has no {name}")
    if not isinstance(held, dict):
        return
    for key in keys:
        below = held.get(key)
        type_name = owner.elements[key].type
        if isinstance(below, list):
            for index in range(len(below)):
                yield Place(held, key, index, type_name, place)
        elif below is not None or f"_{key}" in held:
            yield Place(held, key, None, type_name, place)


def _actual_type(place: Place) -> str:
    """The type of the value: a contained resource says its own."""
    value = place.value
    if isinstance(value, dict) and isinstance(value.get("resourceType"), str):
        return str(value["resourceType"])
    return place.type

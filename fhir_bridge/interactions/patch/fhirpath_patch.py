"""FHIRPath Patch: a Parameters resource that says what to add, insert, delete, replace, move.

https://hl7.org/fhir/R4/fhirpatch.html

The resource that is given is never changed.  Operations are carried out in their order, all
or none.  Readings: ``add`` to an element that does not repeat and is there is an error;
``delete`` of nothing is not; an object that a delete leaves empty goes as well, since FHIR
has no empty elements.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import Any

from fhir_bridge.budget import Budget, one_budget
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import Resource, definitions
from fhir_bridge.interactions.failure import failure
from fhir_bridge.interactions.patch.path import Place, find_places, split_path
from fhir_bridge.interactions.patch.value import Value, read_value

__all__ = ["apply_fhirpath_patch"]


def apply_fhirpath_patch(resource: Resource, parameters: Resource) -> Resource:
    """`resource` after all operations of `parameters`, as a new value.

    Raises BridgeError FB-4020 (the Parameters are wrong), FB-4021 (a place is not there) or
    FB-4023 (path or value do not fit), each with the position of the operation.
    """
    if parameters.get("resourceType") != "Parameters":
        raise BridgeError("FB-4020", reason="a FHIRPath Patch is a Parameters resource")
    resource = deepcopy(resource)
    with one_budget() as budget:
        _apply_all(resource, _listed(parameters, "parameter"), budget)
    return resource


def _apply_all(resource: Resource, operations: list[dict[str, Any]], budget: Budget) -> None:
    for position, parameter in enumerate(operations):
        budget.spend(1)
        budget.look()
        if parameter.get("name") != "operation":
            raise BridgeError(
                "FB-4020", f"Parameters.parameter[{position}]", reason="name is operation"
            )
        try:
            _apply(resource, _parts(parameter))
        except BridgeError as error:
            where = f"Parameters.parameter[{position}]"
            raise failure([replace(error.issues[0], where=where)]) from None


def _apply(resource: Resource, parts: dict[str, dict[str, Any]]) -> None:
    kind = _text(parts, "type")
    apply = _OPERATIONS.get(kind)
    if apply is None:
        raise BridgeError("FB-4020", reason=f"type is one of {', '.join(_OPERATIONS)}")
    apply(resource, _text(parts, "path"), parts)


def _add(resource: Resource, path: str, parts: dict[str, dict[str, Any]]) -> None:
    place = _only(resource, path)
    holder, owner = _object(place), _owner(place)
    value = read_value(owner, _text(parts, "name"), _part(parts, "value"), path)
    element = definitions().types[owner].elements[value.key]
    if element.is_list:
        _insert_at(holder, value, len(holder.get(value.key, ())), path)
        return
    taken = definitions().types[owner].choices.get(element.choice, (value.key,))
    if any(key in holder or f"_{key}" in holder for key in taken):
        raise BridgeError("FB-4023", path=path[:200], reason=f"{value.key} is there already")
    _set(holder, value)


def _insert(resource: Resource, path: str, parts: dict[str, dict[str, Any]]) -> None:
    place, name = _list(resource, path)
    value = read_value(_owner(place), name, _part(parts, "value"), path)
    _insert_at(_object(place), value, _number(parts, "index"), path)


def _delete(resource: Resource, path: str, _parts: dict[str, dict[str, Any]]) -> None:
    places = find_places(resource, path)
    if len(places) > 1:
        raise BridgeError("FB-4023", path=path[:200], reason="the path finds several elements")
    for place in places:
        if place.above is None:
            raise BridgeError("FB-4023", path=path[:200], reason="this is the resource itself")
        _remove(place)


def _replace(resource: Resource, path: str, parts: dict[str, dict[str, Any]]) -> None:
    place = _only(resource, path)
    if place.above is None:
        raise BridgeError("FB-4023", path=path[:200], reason="this is the resource itself")
    owner = definitions().types[_owner(place.above)]
    name = owner.elements[place.key].choice or place.key
    value = read_value(owner.name, name, _part(parts, "value"), path)
    if place.index is not None:
        place.holder[place.key][place.index] = value.json
        if value.companion is not None:  # else what the element says beside its value stays
            _companion_list(place.holder, value.key)[place.index] = value.companion
        _tidy(place.holder, value.key)
        return
    if value.key != place.key or value.companion is not None:
        place.holder.pop(f"_{place.key}", None)
    if value.key != place.key:
        place.holder.pop(place.key, None)
    _set(place.holder, value)


def _move(resource: Resource, path: str, parts: dict[str, dict[str, Any]]) -> None:
    place, name = _list(resource, path)
    holder = _object(place)
    source, destination = _number(parts, "source"), _number(parts, "destination")
    length = len(holder.get(name, ()))
    for index in (source, destination):
        if not 0 <= index < length:
            raise BridgeError("FB-4021", path=f"{path}[{index}]"[:200])
    for moved in (holder[name], _companion_list(holder, name)):
        moved.insert(destination, moved.pop(source))
    _tidy(holder, name)


_OPERATIONS: dict[str, Callable[[Resource, str, dict[str, dict[str, Any]]], None]] = {
    "add": _add,
    "insert": _insert,
    "delete": _delete,
    "replace": _replace,
    "move": _move,
}


def _only(resource: Resource, path: str) -> Place:
    """The one place of `path`."""
    places = find_places(resource, path)
    if not places:
        raise BridgeError("FB-4021", path=path[:200])
    if len(places) > 1:
        raise BridgeError("FB-4023", path=path[:200], reason="the path finds several elements")
    return places[0]


def _list(resource: Resource, path: str) -> tuple[Place, str]:
    """The holder of a list and the list's key, for a path that ends with its name."""
    steps = split_path(path)
    above = ".".join(steps[:-1]).replace(".[", "[")
    place = _only(resource, above) if above else None
    element = definitions().types[_owner(place)].elements.get(steps[-1]) if place else None
    if place is None or element is None or not element.is_list:
        raise BridgeError("FB-4023", path=path[:200], reason="the path does not name a list")
    return place, steps[-1]


def _owner(place: Place) -> str:
    value = place.value
    found = value.get("resourceType") if isinstance(value, dict) else None
    return found if isinstance(found, str) else place.type


def _object(place: Place) -> dict[str, Any]:
    """The JSON object that holds the elements of `place`: its companion for a primitive."""
    if isinstance(place.value, dict):
        return place.value
    if place.index is None:
        held: dict[str, Any] = place.holder.setdefault(f"_{place.key}", {})
        return held
    companions = _companion_list(place.holder, place.key)
    companions[place.index] = companions[place.index] or {}
    found: dict[str, Any] = companions[place.index]
    return found


def _set(holder: dict[str, Any], value: Value) -> None:
    if value.json is not None:
        holder[value.key] = value.json
    if value.companion is not None:
        holder[f"_{value.key}"] = value.companion


def _insert_at(holder: dict[str, Any], value: Value, index: int, path: str) -> None:
    length = len(holder.get(value.key, ()))
    if not 0 <= index <= length:
        raise BridgeError("FB-4021", path=f"{path}[{index}]"[:200])
    companions = _companion_list(holder, value.key)
    holder.setdefault(value.key, []).insert(index, value.json)
    companions.insert(index, value.companion)
    _tidy(holder, value.key)


def _remove(place: Place) -> None:
    """Take the value away, and every object above that this leaves empty."""
    if place.index is None:
        place.holder.pop(place.key, None)
        place.holder.pop(f"_{place.key}", None)
    else:
        companions = _companion_list(place.holder, place.key)
        del place.holder[place.key][place.index]
        del companions[place.index]
        _tidy(place.holder, place.key)
    above = place.above
    if place.holder or above is None or above.above is None:
        return
    if above.value is None or isinstance(above.value, dict):
        _remove(above)
    elif above.index is None:
        del above.holder[f"_{above.key}"]
    else:
        above.holder[f"_{above.key}"][above.index] = None
        _tidy(above.holder, above.key)


def _companion_list(holder: dict[str, Any], key: str) -> list[Any]:
    """The companions of a repeating primitive, as long as the list itself."""
    companions: list[Any] = holder.setdefault(f"_{key}", [])
    companions.extend([None] * (len(holder.get(key, ())) - len(companions)))
    return companions


def _tidy(holder: dict[str, Any], key: str) -> None:
    """Drop what JSON leaves out: an empty list, companions that say nothing."""
    if not any(holder.get(f"_{key}", ())):
        holder.pop(f"_{key}", None)
    if not holder.get(key, True):
        del holder[key]


def _parts(parameter: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {str(part.get("name")): part for part in _listed(parameter, "part")}


def _listed(node: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = node.get(name, [])
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise BridgeError("FB-4020", reason=f"{name} is a list of objects")
    return found


def _part(parts: dict[str, dict[str, Any]], name: str) -> dict[str, Any]:
    if name not in parts:
        raise BridgeError("FB-4020", reason=f"the part {name} is missing")
    return parts[name]


def _simple(parts: dict[str, dict[str, Any]], name: str) -> Any:
    part = _part(parts, name)
    return next((part[key] for key in part if key.startswith("value")), None)


def _text(parts: dict[str, dict[str, Any]], name: str) -> str:
    value = _simple(parts, name)
    if not isinstance(value, str):
        raise BridgeError("FB-4020", reason=f"the part {name} is text")
    return value


def _number(parts: dict[str, dict[str, Any]], name: str) -> int:
    value = _simple(parts, name)
    if isinstance(value, bool) or not isinstance(value, int):
        raise BridgeError("FB-4020", reason=f"the part {name} is an integer")
    return value

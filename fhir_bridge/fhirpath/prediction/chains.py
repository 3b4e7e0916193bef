"""Chains as look-ups in plain values: is something there, which value, how many.

http://hl7.org/fhirpath/N1/#path-selection

Part of `prediction`; relies on values whose structure is known to be sound.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from fhir_bridge.fhirpath.form.steps import (
    Child,
    Dynamic,
    Field,
    First,
    Form,
    Item,
    Unsupported,
    UrlIs,
    Where,
)
from fhir_bridge.fhirpath.prediction.logic import UNKNOWN, Look, Unpredicted
from fhir_bridge.fhirpath_values import Model

__all__ = ["kind_of", "of_resource", "presence", "scalar", "size"]

_KINDS = {
    "boolean": "truth",
    "integer": "whole",
    "positiveInt": "whole",
    "unsignedInt": "whole",
    "decimal": "number",
    "date": "date",
    "dateTime": "dateTime",
    "instant": "instant",
} | dict.fromkeys(
    (
        "string",
        "System.String",
        "code",
        "id",
        "markdown",
        "uri",
        "url",
        "canonical",
        "oid",
        "uuid",
    ),
    "text",
)


def kind_of(type_name: str) -> str:
    """The kind of the values of a primitive type; "" of those that are left to the engine."""
    return _KINDS.get(type_name, "")


def scalar(form: Form) -> tuple[str, Look]:
    """Kind and value of a chain of single elements that ends in a primitive."""
    *before, last = _single_path(form)
    kind = kind_of(last.type)
    if not kind or last.is_list or any(field.is_list for field in before):
        raise Unpredicted
    holder, key, sibling = _holder(before), last.key, f"_{last.key}"
    is_number = kind in ("whole", "number")

    def look(value: Any, _resource: Any) -> Any:
        found = holder(value)
        if found is None:
            return None
        here = found.get(key)
        if here is None:
            return UNKNOWN if sibling in found else None
        if is_number and type(here) is not int and type(here) is not Decimal:
            return UNKNOWN
        return here

    return kind, look


def of_resource(model: Model, name: str, *, dates: bool) -> Look:
    """The text of ``%resource.name``; with `dates` also the text of a date or time."""
    served: dict[str, bool] = {}
    sibling = f"_{name}"

    def serves(resource_type: str) -> bool:
        shape = model.definitions.types.get(resource_type) if model.definitions else None
        element = shape.elements.get(name) if shape else None
        if element is None or element.is_list or element.choice:
            return False
        kind = kind_of(element.type)
        return kind == "text" or (dates and kind in ("date", "dateTime", "instant"))

    def look(_value: Any, resource: Any) -> Any:
        if type(resource) is not dict:
            return UNKNOWN
        resource_type = resource.get("resourceType", "")
        known = served.get(resource_type)
        if known is None:
            known = served[resource_type] = serves(resource_type)
        if not known:
            return UNKNOWN
        here = resource.get(name)
        return UNKNOWN if here is None and sibling in resource else here

    return look


def presence(form: Form, *, value: bool) -> Look:
    """Whether a chain leads to anything; with `value` to exactly one primitive value.

    Steps that only the engine can take are still predicted when there is nothing to take
    them from; what stands behind a list is the engine's to count.
    """
    if isinstance(form, First):
        chain, rest = form.chain, form.then
    else:
        chain, rest = form, Item("")
    before: list[Field] = []
    while isinstance(chain, Child) and len(chain.branches) == 1:
        field, then = chain.branches[0]
        if isinstance(then, Item) or field.is_list or not isinstance(then, Child):
            break
        before.append(field)
        chain = then
    if not isinstance(chain, Child):
        raise Unpredicted
    branches = chain.branches
    ends = [then for _, then in branches]
    if not all(_is_empty_from_empty(then) for then in (*ends, rest)):
        raise Unpredicted
    beyond = not all(isinstance(then, Item) for then in (*ends, rest))
    if value and any(field.is_list or not kind_of(field.type) for field, _ in branches):
        beyond = True
    return _presence(_holder(before), tuple(field.key for field, _ in branches), beyond=beyond)


def _presence(holder: Callable[[Any], Any], keys: tuple[str, ...], *, beyond: bool) -> Look:
    names = frozenset(keys)
    companions = frozenset(f"_{one}" for one in keys) if len(keys) > 1 else frozenset()
    key, sibling = (keys[0], f"_{keys[0]}") if len(keys) == 1 else ("", "")

    def look(item: Any, _resource: Any) -> Any:
        found = holder(item)
        if found is None:
            return False
        here = key in found if key else not names.isdisjoint(found)
        if here:
            return UNKNOWN if beyond else True
        return UNKNOWN if sibling in found or not companions.isdisjoint(found) else False

    return look


def size(form: Form) -> Look:
    """How many items one element has."""
    fields = _single_path(form)
    if len(fields) != 1 or fields[0].choice:
        raise Unpredicted
    key, sibling = fields[0].key, f"_{fields[0].key}"

    def look(value: Any, _resource: Any) -> Any:
        if sibling in value:
            return UNKNOWN
        found = value.get(key)
        if found is None:
            return 0
        return len(found) if type(found) is list else 1

    return look


def _single_path(form: Form) -> list[Field]:
    """The keys of a chain without branches or filters."""
    fields: list[Field] = []
    while isinstance(form, Child) and len(form.branches) == 1:
        field, form = form.branches[0]
        fields.append(field)
    if not fields or not isinstance(form, Item):
        raise Unpredicted
    return fields


def _is_empty_from_empty(form: Form) -> bool:
    """Whether what comes after gives nothing, without an error, where nothing leads to it."""
    match form:
        case Item() | Dynamic():
            return True
        case Unsupported():
            return form.empty_from_empty
        case Child(branches=branches):
            return all(_is_empty_from_empty(then) for _, then in branches)
        case UrlIs(then=then) | Where(then=then):
            return _is_empty_from_empty(then)
    return False


def _holder(fields: list[Field]) -> Callable[[Any], Any]:
    """The object at the end of a path of single elements, None when there is none."""
    keys = tuple(field.key for field in fields)
    if not keys:
        return lambda value: value

    def holder(value: Any) -> Any:
        for key in keys:
            value = value.get(key)
            if value is None:
                return None
        return value

    return holder

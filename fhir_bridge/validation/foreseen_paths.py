"""Paths of a rule as look-ups in plain values: is something there, which text, how many.

http://hl7.org/fhirpath/N1/#path-selection

Part of `foresight`; relies on values that `soundness` has accepted.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from fhir_bridge.fhir import Definitions, ElementDefinition, TypeDefinition
from fhir_bridge.fhirpath import syntax

__all__ = [
    "UNSURE",
    "Look",
    "Unforeseen",
    "kind_of",
    "presence",
    "scalar",
    "scalar_of_resource",
    "size",
]


class _Unsure:
    def __repr__(self) -> str:
        return "UNSURE"


UNSURE: Final = _Unsure()
"""Only the engine knows."""

Look = Callable[[Any, Any], Any]
"""A function of (value, ``%resource``): what is there, None for nothing, or `UNSURE`."""


class Unforeseen(Exception):  # noqa: N818 - not an error: the engine is asked
    """The expression says more than foresight reads."""


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
    ("string", "code", "id", "markdown", "uri", "url", "canonical", "oid", "uuid"), "text"
)
_EMPTY_FROM_EMPTY = frozenset({"where", "select", "ofType", "as", "first", "last", "tail"})


def kind_of(type_name: str) -> str:
    """The kind of the values of a primitive type; "" of those that are left to the engine."""
    return _KINDS.get(type_name, "")


def scalar(definitions: Definitions, shape: TypeDefinition, tree: syntax.Expr) -> tuple[str, Look]:
    """Kind and value of a path of single elements that ends in a primitive."""
    *before, last = _walk(definitions, shape, tree)
    kind = _KINDS.get(last.type, "") if not last.is_list else ""
    if not kind or any(element.is_list for element in before):
        raise Unforeseen
    holder, key, sibling = _holder(before), last.key, f"_{last.key}"
    is_number = kind in ("whole", "number")

    def look(value: Any, _resource: Any) -> Any:
        found = holder(value)
        if found is None:
            return None
        here = found.get(key)
        if here is None:
            return UNSURE if sibling in found else None
        if is_number and type(here) is not int and type(here) is not Decimal:
            return UNSURE
        return here

    return kind, look


def scalar_of_resource(definitions: Definitions, name: str, *, dates: bool) -> Look:
    """The text of ``%resource.name``; with `dates` also the text of a date or time."""
    served: dict[str, bool] = {}
    sibling = f"_{name}"

    def serves(resource_type: str) -> bool:
        shape = definitions.types.get(resource_type)
        element = shape.elements.get(name) if shape else None
        if element is None or element.is_list or element.choice:
            return False
        kind = _KINDS.get(element.type, "")
        return kind == "text" or (dates and kind in ("date", "dateTime", "instant"))

    def look(_value: Any, resource: Any) -> Any:
        if type(resource) is not dict:
            return UNSURE
        resource_type = resource.get("resourceType", "")
        known = served.get(resource_type)
        if known is None:
            known = served[resource_type] = serves(resource_type)
        if not known:
            return UNSURE
        here = resource.get(name)
        return UNSURE if here is None and sibling in resource else here

    return look


def presence(
    definitions: Definitions, shape: TypeDefinition, tree: syntax.Expr, *, value: bool
) -> Look:
    """Whether the path leads to anything; with `value` to exactly one primitive value.

    Steps that only the engine can take are still foreseen when there is nothing to take
    them from.
    """
    members, rest = _split(tree)
    *before, last = _walk(definitions, shape, members)
    beyond = bool(rest) or (value and (last.is_list or not kind_of(last.type)))
    keys = shape_keys(definitions, shape, before, last)
    path = [*before]
    if any(element.is_list for element in before):
        # Through a list: nothing there is certain, what is there is the engine's to count.
        path, beyond, keys = [], True, (before[0].key,)
    names = frozenset(keys)
    companions = frozenset(f"_{one}" for one in keys) if len(keys) > 1 else frozenset()
    key, sibling = (keys[0], f"_{keys[0]}") if len(keys) == 1 else ("", "")
    holder = _holder(path)

    def look(item: Any, _resource: Any) -> Any:
        found = holder(item)
        if found is None:
            return False
        here = key in found if key else not names.isdisjoint(found)
        if here:
            return UNSURE if beyond else True
        return UNSURE if sibling in found or not companions.isdisjoint(found) else False

    return look


def size(definitions: Definitions, shape: TypeDefinition, tree: syntax.Expr) -> Look:
    """How many items one element has."""
    elements = _walk(definitions, shape, tree)
    if len(elements) != 1 or elements[0].choice:
        raise Unforeseen
    key, sibling = elements[0].key, f"_{elements[0].key}"

    def look(value: Any, _resource: Any) -> Any:
        if sibling in value:
            return UNSURE
        found = value.get(key)
        if found is None:
            return 0
        return len(found) if type(found) is list else 1

    return look


def shape_keys(
    definitions: Definitions,
    shape: TypeDefinition,
    before: list[ElementDefinition],
    last: ElementDefinition,
) -> tuple[str, ...]:
    """The JSON keys of `last`: all forms of a choice element."""
    if not last.choice:
        return (last.key,)
    owner = definitions.types[before[-1].type] if before else shape
    return owner.choices[last.choice]


def _holder(elements: list[ElementDefinition]) -> Callable[[Any], Any]:
    """The object at the end of a path of single elements, None when there is none."""
    keys = tuple(element.key for element in elements)
    if not keys:
        return lambda value: value

    def holder(value: Any) -> Any:
        for key in keys:
            value = value.get(key)
            if value is None:
                return None
        return value

    return holder


def _split(tree: syntax.Expr) -> tuple[syntax.Expr, tuple[syntax.Expr, ...]]:
    """The names at the start of a path, and the steps that only the engine can take."""
    if not isinstance(tree, syntax.Path):
        return tree, ()
    count = 0
    while count < len(tree.steps) and isinstance(tree.steps[count], syntax.Member):
        count += 1
    rest = tree.steps[count:]
    for step in rest:
        known = isinstance(step, syntax.Member)
        if not known and not (isinstance(step, syntax.Call) and step.name in _EMPTY_FROM_EMPTY):
            raise Unforeseen
    return syntax.Path(tree.offset, tree.start, tree.steps[:count]), rest


def _walk(
    definitions: Definitions, shape: TypeDefinition, tree: syntax.Expr
) -> list[ElementDefinition]:
    """The elements that a path of names leads through; of a choice its first form, last only."""
    steps = (tree.start, *tree.steps) if isinstance(tree, syntax.Path) else (tree,)
    elements: list[ElementDefinition] = []
    for step in steps:
        if not isinstance(step, syntax.Member) or shape is None:
            raise Unforeseen
        if elements and elements[-1].choice:
            raise Unforeseen
        keys = shape.choices.get(step.name, (step.name,))
        element = shape.elements.get(keys[0])
        if element is None or (element.choice and step.name not in shape.choices):
            raise Unforeseen
        elements.append(element)
        following = definitions.types.get(element.type)
        shape = following if following and not following.abstract else None  # type: ignore[assignment]
    if not elements:
        raise Unforeseen
    return elements

"""``_filter``: from its tree to the conditions that ordinary parameters make.

https://hl7.org/fhir/R4/search_filter.html.  A comparison is about the set of values that a
parameter has in a resource and holds when one of them does; ``ni`` and ``pr false`` are about
the whole set.  Operators that the index cannot answer rightly are refused (FB-4114), such as
``ne`` of a code that may repeat: ``not (code eq x)`` says what is mostly meant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fhir_bridge.errors import BridgeError
from fhir_bridge.search.allowed import names_of
from fhir_bridge.search.chains import chain
from fhir_bridge.search.conditions import (
    AllOf,
    AnyOf,
    Condition,
    Content,
    Ids,
    Not,
    Present,
    Term,
    Text,
    any_of,
    nothing,
)
from fhir_bridge.search.filter_text import (
    Combined,
    Comparison,
    Filter,
    Negated,
    Step,
    parse_filter,
)
from fhir_bridge.search.folding import fold
from fhir_bridge.search.text import bounded
from fhir_bridge.search.values import condition, narrative, overlapping, updated

if TYPE_CHECKING:
    from fhir_bridge.fhir import SearchParameter
    from fhir_bridge.search.registry import Registry

__all__ = ["comparable", "filtered", "operators_of"]

_ORDERED = ("eq", "ne", "gt", "lt", "ge", "le", "ap", "sa", "eb")
_BY_TYPE = {
    "string": ("eq", "co", "sw", "ew", "pr"),
    "token": ("eq", "pr"),
    "reference": ("eq", "re", "pr"),
    "uri": ("eq", "co", "sw", "ew", "pr"),
    "date": (*_ORDERED, "po", "pr"),
    "number": (*_ORDERED, "pr"),
    "quantity": (*_ORDERED, "pr"),
    "composite": ("eq",),
}
_BY_CODE = {
    "_content": ("co",),
    "_text": ("co", "pr"),
    "_id": ("eq", "ne", "pr"),
    "_lastUpdated": (*_ORDERED, "po", "pr"),
}
_NOT_COMPARED = frozenset({"_filter", "near"})


def filtered(registry: Registry, resource_type: str, text: str) -> Condition:
    """The condition that a filter puts on resources of a type.

    Raises BridgeError FB-4113 (syntax), FB-4101 (parameter), FB-4114 (operator) or what the
    parameter's own value would raise; each names the character.
    """
    return _condition(registry, resource_type, parse_filter(text))


def comparable(registry: Registry, resource_type: str) -> tuple[str, ...]:
    """The parameters that a filter on the type may name."""
    own = registry.parameters(resource_type)
    return tuple(
        code
        for code in names_of(registry, resource_type)
        if code in own and code not in _NOT_COMPARED
    )


def operators_of(
    registry: Registry, resource_type: str, parameter: SearchParameter
) -> tuple[str, ...]:
    """The operators that are answered of a parameter."""
    if parameter.code in _BY_CODE:
        return _BY_CODE[parameter.code]
    found = list(_BY_TYPE.get(parameter.type, ()))
    if "ne" not in found and parameter.type != "composite":
        found += ("ne",) if registry.is_single(resource_type, parameter.code) else ()
    if parameter.type == "token":
        found += ("in", "ni") if registry.value_set_codes else ()
        found += ("ss", "sb") if registry.hierarchies else ()
    return tuple(found)


def _condition(registry: Registry, resource_type: str, tree: Filter) -> Condition:
    match tree:
        case Combined(word, parts):
            found = tuple(_condition(registry, resource_type, part) for part in parts)
            return AllOf(found) if word == "and" else AnyOf(found)
        case Negated(inner):
            return Not(_condition(registry, resource_type, inner))
        case Comparison():
            try:
                return _along(registry, resource_type, tree.path, tree)
            except BridgeError as error:
                lead = error.issues[0]
                if lead.where.startswith("_filter"):
                    raise
                where = f"_filter, character {tree.position}"
                details: dict[str, Any] = dict(lead.details)
                raise BridgeError(lead.code, where, **details) from None


def _along(
    registry: Registry, resource_type: str, path: tuple[Step, ...], comparison: Comparison
) -> Condition:
    """The comparison at the end of a path, each step a reference but the last."""
    step, *rest = path
    code, _, target = step.name.partition(":")
    if code not in comparable(registry, resource_type):
        raise BridgeError(
            "FB-4101",
            parameter=code,
            resource_type=resource_type,
            allowed=", ".join(comparable(registry, resource_type)),
        )
    if not rest:
        if target:
            raise BridgeError("FB-4102", parameter=code, modifier=target, allowed="none")
        return _compared(registry, resource_type, code, comparison)

    def further(each: str) -> Condition:
        found = _along(registry, each, tuple(rest), comparison)
        if step.within is None:
            return found
        return AllOf((_condition(registry, each, step.within), found))

    return chain(registry, resource_type, code, target, further)


def _compared(
    registry: Registry, resource_type: str, code: str, comparison: Comparison
) -> Condition:
    """One comparison of the resource's own values."""
    parameter = registry.parameters(resource_type)[code]
    operator = comparison.operator
    allowed = operators_of(registry, resource_type, parameter)
    if operator not in allowed:
        raise BridgeError("FB-4114", parameter=code, operator=operator, allowed=", ".join(allowed))
    if operator == "pr":
        return _present(registry, resource_type, parameter, comparison.value)
    if operator == "ne" and parameter.type not in ("date", "number", "quantity"):
        equal = _equal(registry, resource_type, parameter, comparison.value)
        return AllOf((_present(registry, resource_type, parameter, "true"), Not(equal)))
    if operator in ("eq", "re") and parameter.type not in ("date", "number", "quantity"):
        return _equal(registry, resource_type, parameter, comparison.value)
    match parameter.type:
        case "string" | "uri":
            return _part(registry, resource_type, parameter, comparison)
        case "token":
            modifier = {"in": "in", "ni": "in", "ss": "below", "sb": "above"}[operator]
            value = _escaped(comparison.value)
            found = condition(registry, resource_type, parameter, modifier, value)
            return Not(found) if operator == "ni" else found
    return _ordered(registry, resource_type, parameter, comparison)


def _present(
    registry: Registry, resource_type: str, parameter: SearchParameter, value: str
) -> Condition:
    if value not in ("true", "false"):
        raise BridgeError("FB-4103", parameter=parameter.code, expected="true, false")
    if parameter.code in ("_id", "_lastUpdated"):
        return AllOf() if value == "true" else nothing()
    present = any_of(
        Present(symbol, parameter.type)
        for symbol in registry.indexes(resource_type, parameter.code)
    )
    return present if value == "true" else Not(present)


def _equal(
    registry: Registry, resource_type: str, parameter: SearchParameter, value: str
) -> Condition:
    if parameter.code == "_id":
        return Ids(resource_type, (value,))
    if parameter.type == "string":
        folded = bounded(fold(value))
        return any_of(
            Text(symbol, folded, "equals")
            for symbol in registry.indexes(resource_type, parameter.code)
        )
    written = value if parameter.type == "composite" else _escaped(value)
    return condition(registry, resource_type, parameter, "", written)


def _part(
    registry: Registry, resource_type: str, parameter: SearchParameter, comparison: Comparison
) -> Condition:
    """A string or URI that starts with, ends with or contains the value."""
    value = comparison.value
    if parameter.code == "_content":
        return Content(value)
    if parameter.code == "_text":
        return narrative(registry.symbol(resource_type, "_text"), value)
    symbols = registry.indexes(resource_type, parameter.code)
    match comparison.operator:
        case "sw" if parameter.type == "string":
            return condition(registry, resource_type, parameter, "", _escaped(value))
        case "sw":
            return any_of(Term(symbol, value, "starts") for symbol in symbols)
        case "ew" if parameter.type == "string":
            return any_of(Text(symbol, bounded(fold(value)), "ends") for symbol in symbols)
        case "ew":
            return any_of(Term(symbol, value, "ends") for symbol in symbols)
        case _ if parameter.type == "string":
            return any_of(Text(symbol, bounded(fold(value)), "contains") for symbol in symbols)
        case _:
            return any_of(Term(symbol, value, "contains") for symbol in symbols)


def _ordered(
    registry: Registry, resource_type: str, parameter: SearchParameter, comparison: Comparison
) -> Condition:
    """A date, number or quantity beyond the value, or a period that overlaps it."""
    operator, value = comparison.operator, _escaped(comparison.value)
    if parameter.code == "_lastUpdated":
        return updated(registry, parameter, f"{'eq' if operator == 'po' else operator}{value}")
    if operator == "po":
        return any_of(
            overlapping(registry, parameter, symbol, value)
            for symbol in registry.indexes(resource_type, parameter.code)
        )
    return condition(registry, resource_type, parameter, "", f"{operator}{value}")


def _escaped(value: str) -> str:
    """As a parameter's value would be written in a URL; a bar keeps its meaning."""
    return value.replace("\\", "\\\\")

"""From one criterion and its value to a condition on resources of a type.

https://hl7.org/fhir/R4/search.html#combining: values joined by commas are alternatives;
#chaining and #has follow references.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhir_bridge.errors import BridgeError
from fhir_bridge.search.allowed import (
    MOST_VALUES,
    check_modifier,
    parameter_of,
)
from fhir_bridge.search.chains import chain
from fhir_bridge.search.conditions import (
    AllOf,
    Condition,
    Content,
    Has,
    Ids,
    Not,
    OnList,
    Present,
    any_of,
    nothing,
)
from fhir_bridge.search.criteria import (
    Chained,
    Criterion,
    Own,
    Reversed,
    split_escaped,
    unescape,
)
from fhir_bridge.search.filtering import filtered
from fhir_bridge.search.values import condition, narrative, updated

if TYPE_CHECKING:
    from fhir_bridge.fhir import SearchParameter
    from fhir_bridge.search.registry import Registry

__all__ = ["asked"]


def asked(criterion: Criterion, resource_type: str, value: str, registry: Registry) -> Condition:
    """The condition of one criterion on one type.

    Raises BridgeError FB-4101 to FB-4103 and FB-4106 to FB-4114.
    """
    match criterion:
        case Own():
            return _own(criterion, resource_type, value, registry)
        case Chained():
            return _chained(criterion, resource_type, value, registry)
        case Reversed():
            return _reversed(criterion, resource_type, value, registry)


def _own(own: Own, resource_type: str, value: str, registry: Registry) -> Condition:
    code, modifier = own.code, own.modifier
    if code in ("_type", "_list"):
        return _of_type_or_list(code, modifier, resource_type, value)
    parameter = parameter_of(registry, resource_type, code)
    check_modifier(registry, resource_type, parameter, modifier)
    if modifier == "missing":
        return _missing(parameter, resource_type, value, registry)
    if code == "_filter":
        return filtered(registry, resource_type, value)
    values = split_escaped(value, ",")
    if len(values) > MOST_VALUES:
        raise BridgeError("FB-4109", code, limit=MOST_VALUES)
    if code == "_id":
        ids = Ids(resource_type, tuple(unescape(each) for each in values))
        return Not(ids) if modifier == "not" else ids
    negated = {"not": "", "not-in": "in"}.get(modifier)
    single = modifier if negated is None else negated
    found = any_of(_one(parameter, single, each, resource_type, registry) for each in values)
    return found if negated is None else Not(found)


def _of_type_or_list(code: str, modifier: str, resource_type: str, value: str) -> Condition:
    allowed = ("not",) if code == "_type" else ()
    if modifier and modifier not in allowed:
        raise BridgeError(
            "FB-4102",
            code,
            parameter=code,
            modifier=modifier,
            allowed=", ".join(allowed) or "none",
        )
    if code == "_type":
        same = resource_type in value.split(",")
        return AllOf() if same != (modifier == "not") else nothing()
    if value.startswith("$"):
        raise BridgeError("FB-4106", code, parameter=f"_list={value}")
    return any_of(OnList(each.removeprefix("List/")) for each in value.split(","))


def _missing(
    parameter: SearchParameter, resource_type: str, value: str, registry: Registry
) -> Condition:
    code = parameter.code
    if value not in ("true", "false"):
        raise BridgeError("FB-4103", code, parameter=f"{code}:missing", expected="true, false")
    if code in ("_id", "_lastUpdated"):
        return AllOf() if value == "false" else nothing()
    present = any_of(
        Present(symbol, parameter.type) for symbol in registry.indexes(resource_type, code)
    )
    return present if value == "false" else Not(present)


def _one(
    parameter: SearchParameter, modifier: str, value: str, resource_type: str, registry: Registry
) -> Condition:
    match parameter.code:
        case "_lastUpdated":
            return updated(registry, parameter, value)
        case "_text":
            return narrative(registry.symbol(resource_type, "_text"), unescape(value))
        case "_content":
            return Content(unescape(value))
    return condition(registry, resource_type, parameter, modifier, value)


def _chained(chained: Chained, resource_type: str, value: str, registry: Registry) -> Condition:
    return chain(
        registry,
        resource_type,
        chained.code,
        chained.target,
        lambda target: asked(chained.rest, target, value, registry),
    )


def _reversed(reversed_: Reversed, resource_type: str, value: str, registry: Registry) -> Condition:
    source, code, rest = reversed_.resource_type, reversed_.code, reversed_.rest
    if source not in registry.definitions.resource_types:
        raise BridgeError(
            "FB-4103", "_has", parameter="_has", expected="_has:Type:reference:parameter"
        )
    parameter = parameter_of(registry, source, code)
    if parameter.type != "reference" or (
        parameter.targets and resource_type != "Resource" and resource_type not in parameter.targets
    ):
        raise BridgeError(
            "FB-4103",
            "_has",
            parameter=f"_has:{source}:{code}",
            expected=f"a reference of {source} to {resource_type}",
        )
    found = asked(rest, source, value, registry)
    canonical_of = resource_type if registry.is_canonical(source, code) else ""
    return any_of(
        Has(source, symbol, found, canonical_of)
        for symbol in registry.indexes(source, code)
        if resource_type == "Resource" or registry.holds(symbol, resource_type)
    )

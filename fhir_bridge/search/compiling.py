"""From one criterion and its value to a condition on resources of a type.

https://hl7.org/fhir/R4/search.html#combining: values joined by commas are alternatives;
#chaining and #has follow references.
"""

from __future__ import annotations

from fhir_bridge.errors import BridgeError
from fhir_bridge.search.bounds import MAX_VALUES
from fhir_bridge.search.chains import chain
from fhir_bridge.search.conditions import AllOf, Condition, Has, OnList, any_of, nothing
from fhir_bridge.search.criteria import Chained, Criterion, Direct, Reversed
from fhir_bridge.search.escaping import read_value
from fhir_bridge.search.filter_conditions import compile_filter
from fhir_bridge.search.registry import Registry
from fhir_bridge.search.supported import FILTER, modifiers_of, parameter_of, require_modifier
from fhir_bridge.search.types import REFERENCE, Parameter

__all__ = ["compile_criterion"]


def compile_criterion(
    criterion: Criterion, resource_type: str, value: str, registry: Registry
) -> Condition:
    """The condition of one criterion on one type.

    Raises BridgeError FB-4101 to FB-4103 and FB-4106 to FB-4114.
    """
    match criterion:
        case Direct():
            return _direct(criterion, resource_type, value, registry)
        case Chained():
            return chain(
                registry,
                resource_type,
                criterion.code,
                criterion.target,
                lambda target: compile_criterion(criterion.rest, target, value, registry),
            )
        case Reversed():
            return _reversed(criterion, resource_type, value, registry)


def _direct(direct: Direct, resource_type: str, value: str, registry: Registry) -> Condition:
    code, modifier = direct.code, direct.modifier
    match code:
        case "_type":
            return _of_type(modifier, resource_type, value)
        case "_list":
            return _on_list(modifier, value)
        case _ if code == FILTER and code in registry.parameters(resource_type):
            require_modifier(code, modifier, ())
            return compile_filter(registry, resource_type, value)
    parameter = parameter_of(registry, resource_type, code)
    if modifier:
        require_modifier(code, modifier, modifiers_of(parameter))
    if modifier == "missing":
        return _missing(parameter, value)
    values = read_value(value).alternatives()
    if len(values) > MAX_VALUES:
        raise BridgeError("FB-4109", code, limit=MAX_VALUES)
    return parameter.type.condition(parameter, modifier, values)


def _of_type(modifier: str, resource_type: str, value: str) -> Condition:
    require_modifier("_type", modifier, ("not",))
    is_named = resource_type in value.split(",")
    return AllOf() if is_named != (modifier == "not") else nothing()


def _on_list(modifier: str, value: str) -> Condition:
    require_modifier("_list", modifier, ())
    if value.startswith("$"):
        raise BridgeError("FB-4106", "_list", parameter=f"_list={value}")
    return any_of(OnList(each.removeprefix("List/")) for each in value.split(","))


def _missing(parameter: Parameter, value: str) -> Condition:
    if value not in ("true", "false"):
        code = parameter.code
        raise BridgeError("FB-4103", code, parameter=f"{code}:missing", expected="true, false")
    type_ = parameter.type
    return type_.present(parameter) if value == "false" else type_.absent(parameter)


def _reversed(reversed_: Reversed, resource_type: str, value: str, registry: Registry) -> Condition:
    source, code = reversed_.resource_type, reversed_.code
    if source not in registry.definitions.resource_types:
        raise BridgeError(
            "FB-4103", "_has", parameter="_has", expected="_has:Type:reference:parameter"
        )
    parameter = parameter_of(registry, source, code)
    if parameter.type is not REFERENCE or resource_type not in ("Resource", *parameter.targets):
        raise BridgeError(
            "FB-4103",
            "_has",
            parameter=f"_has:{source}:{code}",
            expected=f"a reference of {source} to {resource_type}",
        )
    condition = compile_criterion(reversed_.rest, source, value, registry)
    canonical_of = resource_type if parameter.is_canonical else ""
    return any_of(
        Has(source, index.symbol, condition, canonical_of)
        for index in parameter.indexes
        if resource_type == "Resource" or index.may_hold(resource_type)
    )

"""``_filter``: from its tree to the conditions that ordinary parameters make.

https://hl7.org/fhir/R4/search_filter.html.  A comparison is about the set of values that a
parameter has in a resource and holds when one of them does; ``ni`` and ``pr false`` are about
the whole set.  Operators that the index cannot answer rightly are refused (FB-4114), such as
``ne`` of a code that may repeat: ``not (code eq x)`` says what is mostly meant.
"""

from __future__ import annotations

from typing import Any

from fhir_bridge.errors import BridgeError
from fhir_bridge.search.chains import chain
from fhir_bridge.search.conditions import AllOf, AnyOf, Condition, Not
from fhir_bridge.search.escaping import Written, read_value
from fhir_bridge.search.filter_text import (
    Combined,
    Comparison,
    Filter,
    Negated,
    Step,
    parse_filter,
)
from fhir_bridge.search.registry import Registry
from fhir_bridge.search.supported import names_of, parameter_of
from fhir_bridge.search.types import COMPOSITE, Parameter

__all__ = ["compile_filter"]


def compile_filter(registry: Registry, resource_type: str, text: str) -> Condition:
    """The condition that a filter puts on resources of a type.

    Raises BridgeError FB-4113 (syntax), FB-4101 (parameter), FB-4114 (operator) or what the
    parameter's own value would raise; each names the character.
    """
    return _condition(registry, resource_type, parse_filter(text))


def _comparable(registry: Registry, resource_type: str) -> tuple[str, ...]:
    """The parameters that a filter on the type may name."""
    return tuple(
        code
        for code in names_of(registry, resource_type)
        if _is_comparable(registry, resource_type, code)
    )


def _is_comparable(registry: Registry, resource_type: str, code: str) -> bool:
    parameter = registry.resolve(resource_type, code)
    return parameter is not None and parameter.type.is_comparable


def _condition(registry: Registry, resource_type: str, tree: Filter) -> Condition:
    match tree:
        case Combined(word, parts):
            conditions = tuple(_condition(registry, resource_type, part) for part in parts)
            return AllOf(conditions) if word == "and" else AnyOf(conditions)
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
    if not _is_comparable(registry, resource_type, code):
        raise BridgeError(
            "FB-4101",
            parameter=code,
            resource_type=resource_type,
            allowed=", ".join(_comparable(registry, resource_type)),
        )
    if not rest:
        if target:
            raise BridgeError("FB-4102", parameter=code, modifier=target, allowed="none")
        return _compared(parameter_of(registry, resource_type, code), comparison)

    def further(each: str) -> Condition:
        condition = _along(registry, each, tuple(rest), comparison)
        if step.within is None:
            return condition
        return AllOf((_condition(registry, each, step.within), condition))

    return chain(registry, resource_type, code, target, further)


def _compared(parameter: Parameter, comparison: Comparison) -> Condition:
    """One comparison of the resource's own values."""
    type_, operator, value = parameter.type, comparison.operator, comparison.value
    allowed = type_.operators(parameter)
    if operator not in allowed:
        raise BridgeError(
            "FB-4114", parameter=parameter.code, operator=operator, allowed=", ".join(allowed)
        )
    if operator == "pr":
        if value not in ("true", "false"):
            raise BridgeError("FB-4103", parameter=parameter.code, expected="true, false")
        return type_.present(parameter) if value == "true" else type_.absent(parameter)
    # A string of JSON has its own escapes; only in a composite a dollar sign can need one more.
    written = read_value(value) if type_ is COMPOSITE else Written(value)
    return type_.compare(parameter, operator, written)

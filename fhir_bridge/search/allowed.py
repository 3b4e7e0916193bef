"""What a search may ask: the parameters of a type and the modifiers of a parameter.

The hints of refusals and the CapabilityStatement are made from here, so that what they name
is what is accepted and nothing else.  https://hl7.org/fhir/R4/search.html#modifiers
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhir_bridge.errors import BridgeError
from fhir_bridge.search.dialects import require_no_dialect
from fhir_bridge.search.directives import DIRECTIVES

if TYPE_CHECKING:
    from fhir_bridge.fhir import SearchParameter
    from fhir_bridge.search.registry import Registry

__all__ = [
    "MOST_JOINED",
    "MOST_TESTS",
    "MOST_TESTS_IN_ALL",
    "MOST_VALUES",
    "check_modifier",
    "modifiers_of",
    "names_of",
    "parameter_of",
    "reference_of",
    "targets_of",
]

MOST_VALUES = 2_000
"""Values joined by commas in one parameter, and parameters in one search."""

MOST_TESTS = 1_000
"""Tests of one type that are not the look-up of an exact value (a date, the start of a name)."""

MOST_JOINED = 60
"""Conditions on one type that must hold at once: planning them takes PostgreSQL up to 3 s."""

MOST_TESTS_IN_ALL = 4_000
"""The same over all types of a search."""

_NOT_ANSWERED = frozenset({"_query"})
_WITHOUT_DEFINITION = ("_has", "_list", "_type")
_SPECIAL = frozenset({"_filter", "near"})

_BY_TYPE = {
    "string": ("contains", "exact", "missing"),
    "token": ("missing", "not", "text"),
    "reference": ("identifier", "missing"),
    "uri": ("above", "below", "missing"),
    "date": ("missing",),
    "number": ("missing",),
    "quantity": ("missing",),
}
_BY_CODE = {
    "_content": (),
    "_filter": (),
    "_has": (),
    "_id": ("missing", "not"),
    "_list": (),
    "_text": ("missing",),
    "_type": ("not",),
    "near": ("missing",),
}


def names_of(registry: Registry, resource_type: str) -> tuple[str, ...]:
    """Every parameter that a search of the type may name ("Resource": of all types)."""
    own = (
        code
        for code, parameter in registry.parameters(resource_type).items()
        if _is_answered(parameter)
    )
    return tuple(sorted({*own, *DIRECTIVES, *_WITHOUT_DEFINITION}))


def parameter_of(registry: Registry, resource_type: str, code: str) -> SearchParameter:
    """The parameter `code` of a type.

    Raises BridgeError FB-4101 when the type has none (FB-4117 when another server calls
    something so), FB-4106 when it is not answered.
    """
    parameter = registry.parameters(resource_type).get(code)
    if parameter is None:
        require_no_dialect(code)
        raise BridgeError(
            "FB-4101",
            code,
            parameter=code,
            resource_type=resource_type,
            allowed=", ".join(names_of(registry, resource_type)),
        )
    if not _is_answered(parameter):
        raise BridgeError("FB-4106", code, parameter=code)
    return parameter


def reference_of(registry: Registry, resource_type: str, code: str) -> SearchParameter:
    """The same for what stands before a dot: FB-4103 when it is not a reference."""
    parameter = parameter_of(registry, resource_type, code)
    if parameter.type != "reference":
        raise BridgeError("FB-4103", code, parameter=code, expected="a reference before the dot")
    return parameter


def targets_of(registry: Registry, parameter: SearchParameter) -> tuple[str, ...]:
    """The resource types that a reference parameter may point to."""
    return parameter.targets or tuple(sorted(registry.definitions.resource_types))


def modifiers_of(
    registry: Registry, resource_type: str, parameter: SearchParameter
) -> tuple[str, ...]:
    """The modifiers that a parameter takes, types of targets included."""
    code, kind = parameter.code, parameter.type
    if code in _BY_CODE:
        return _BY_CODE[code]
    found = list(_BY_TYPE.get(kind, ()))
    if kind == "reference":
        found += targets_of(registry, parameter)
    elif kind == "token":
        found += ("in", "not-in") if registry.value_set_codes else ()
        found += ("above", "below") if registry.hierarchies else ()
        if registry.kinds(resource_type, code) & {"Identifier", None}:
            found.append("of-type")
    return tuple(sorted(found))


def check_modifier(
    registry: Registry, resource_type: str, parameter: SearchParameter, modifier: str
) -> None:
    """Raises BridgeError FB-4102 for a modifier that the parameter does not take."""
    if modifier:
        allowed = modifiers_of(registry, resource_type, parameter)
        if modifier not in allowed:
            raise BridgeError(
                "FB-4102",
                parameter.code,
                parameter=parameter.code,
                modifier=modifier,
                allowed=", ".join(allowed) or "none",
            )


def _is_answered(parameter: SearchParameter) -> bool:
    if parameter.code in _NOT_ANSWERED:
        return False
    return parameter.type != "special" or parameter.code in _SPECIAL

"""What a search may name: the parameters of a type and the modifiers of a parameter.

The hints of refusals and the CapabilityStatement are made from here, so that what they name
is what is accepted and nothing else.  https://hl7.org/fhir/R4/search.html#modifiers
"""

from __future__ import annotations

from collections.abc import Iterable

from fhir_bridge.errors import BridgeError
from fhir_bridge.search.dialects import require_no_dialect
from fhir_bridge.search.directives import DIRECTIVES
from fhir_bridge.search.registry import Registry
from fhir_bridge.search.types import REFERENCE, Parameter

__all__ = [
    "FILTER",
    "modifiers_of",
    "names_of",
    "parameter_of",
    "reference_of",
    "require_modifier",
]

FILTER = "_filter"
"""A parameter that is a language of its own: it has a definition, and no type of values."""

_WITHOUT_DEFINITION = ("_has", "_list", "_type")


def names_of(registry: Registry, resource_type: str) -> tuple[str, ...]:
    """Every parameter that a search of the type may name ("Resource": of all types)."""
    own = {*registry.codes(resource_type), *DIRECTIVES, *_WITHOUT_DEFINITION}
    if FILTER in registry.parameters(resource_type):
        own.add(FILTER)
    return tuple(sorted(own))


def parameter_of(registry: Registry, resource_type: str, code: str) -> Parameter:
    """The parameter `code` of a type.

    Raises BridgeError FB-4101 when the type has none (FB-4117 when another server calls
    something so), FB-4106 when it is not answered.
    """
    parameter = registry.resolve(resource_type, code)
    if parameter is not None:
        return parameter
    if code in registry.parameters(resource_type):
        raise BridgeError("FB-4106", code, parameter=code)
    require_no_dialect(code)
    raise BridgeError(
        "FB-4101",
        code,
        parameter=code,
        resource_type=resource_type,
        allowed=", ".join(names_of(registry, resource_type)),
    )


def reference_of(registry: Registry, resource_type: str, code: str) -> Parameter:
    """The same for what is before a dot: FB-4103 when it is not a reference."""
    is_filter = code == FILTER and code in registry.parameters(resource_type)
    parameter = None if is_filter else parameter_of(registry, resource_type, code)
    if parameter is None or parameter.type is not REFERENCE:
        raise BridgeError("FB-4103", code, parameter=code, expected="a reference before the dot")
    return parameter


def modifiers_of(parameter: Parameter) -> tuple[str, ...]:
    """The modifiers that a parameter takes, types of targets included."""
    return tuple(sorted(parameter.type.modifiers(parameter)))


def require_modifier(code: str, modifier: str, allowed: Iterable[str]) -> None:
    """Raises BridgeError FB-4102 for a modifier that is not among those that are taken."""
    listed = tuple(allowed)
    if modifier and modifier not in listed:
        raise BridgeError(
            "FB-4102",
            code,
            parameter=code,
            modifier=modifier,
            allowed=", ".join(listed) or "none",
        )

"""One step of a chain: by which indexes a reference parameter leads to which types.

https://hl7.org/fhir/R4/search.html#chaining
"""

from __future__ import annotations

from collections.abc import Callable

from fhir_bridge.errors import BridgeError
from fhir_bridge.search.conditions import Chain, Condition, any_of
from fhir_bridge.search.registry import Registry
from fhir_bridge.search.supported import reference_of

__all__ = ["chain"]


def chain(
    registry: Registry,
    resource_type: str,
    code: str,
    target: str,
    condition_on: Callable[[str], Condition],
) -> Condition:
    """Refers by `code` to a resource that satisfies `condition_on` its type (`target` "": any).

    Any target type that has such a condition will do; it is an error when none has.  Raises
    BridgeError FB-4101 to FB-4103 and what `condition_on` raises.
    """
    parameter = reference_of(registry, resource_type, code)
    if target and target not in parameter.targets:
        raise BridgeError(
            "FB-4102", code, parameter=code, modifier=target, allowed=", ".join(parameter.targets)
        )
    conditions: dict[str, Condition] = {}
    first: BridgeError | None = None
    for each in (target,) if target else parameter.targets:
        try:
            conditions[each] = condition_on(each)
        except BridgeError as error:
            first = first or error
    if not conditions and first:
        raise first
    chains = (
        (
            index.symbol,
            {each: rest for each, rest in conditions.items() if index.may_hold(each)},
        )
        for index in parameter.indexes
    )
    return any_of(
        Chain(symbol, targets, parameter.is_canonical) for symbol, targets in chains if targets
    )

"""One step of a chain: by which indexes a reference parameter leads to which types.

https://hl7.org/fhir/R4/search.html#chaining
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from fhir_bridge.errors import BridgeError
from fhir_bridge.search.allowed import reference_of, targets_of
from fhir_bridge.search.conditions import Chain, Condition, any_of

if TYPE_CHECKING:
    from fhir_bridge.search.registry import Registry

__all__ = ["chain"]


def chain(
    registry: Registry,
    resource_type: str,
    code: str,
    target: str,
    asked_of: Callable[[str], Condition],
) -> Condition:
    """Refers by `code` to a resource of which `asked_of` its type holds (`target` "": any type).

    Any target type that can be asked will do; it is an error when none can.  Raises BridgeError
    FB-4101 to FB-4103 and what `asked_of` raises.
    """
    known = targets_of(registry, reference_of(registry, resource_type, code))
    if target and target not in known:
        raise BridgeError(
            "FB-4102", code, parameter=code, modifier=target, allowed=", ".join(known)
        )
    found: dict[str, Condition] = {}
    first: BridgeError | None = None
    for each in (target,) if target else known:
        try:
            found[each] = asked_of(each)
        except BridgeError as error:
            first = first or error
    if not found and first:
        raise first
    canonical = registry.is_canonical(resource_type, code)
    chains = {
        symbol: {each: asked for each, asked in found.items() if registry.holds(symbol, each)}
        for symbol in registry.indexes(resource_type, code)
    }
    return any_of(
        Chain(symbol, targets, canonical) for symbol, targets in chains.items() if targets
    )

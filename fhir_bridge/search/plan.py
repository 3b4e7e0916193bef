"""From a checked search to what a store answers, with a fingerprint for its pages."""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import blake2b

from fhir_bridge.search.conditions import AllOf, AnyOf, Condition, Posted
from fhir_bridge.search.directives import Directives
from fhir_bridge.search.parse import Search
from fhir_bridge.search.registry import Registry

__all__ = ["Plan", "plan"]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to find, and how the answer is wanted.

    `types` are (resource type, condition), never empty of conditions that cannot hold;
    `fingerprint` is the same for the same search, whatever page of it is wanted.
    """

    types: tuple[tuple[str, Condition], ...]
    directives: Directives
    fingerprint: str


def plan(search: Search, registry: Registry, *, compartment: tuple[str, str] | None = None) -> Plan:
    """The plan of `search`, within a compartment such as ("Patient", id) when given.

    https://hl7.org/fhir/R4/compartmentdefinition.html
    """
    types = search.types
    if compartment is not None:
        types = tuple(
            (each, AllOf((member, condition)))
            for each, condition in types
            if (member := _member(each, compartment, registry)) is not None
        )
    types = tuple(
        (each, flat) for each, condition in types if (flat := _flat(condition)) != AnyOf()
    )
    fingerprint = blake2b(
        repr((types, replace(search.directives, count=0))).encode("utf-8", "surrogatepass"),
        digest_size=12,
    ).hexdigest()
    return Plan(types, search.directives, fingerprint)


def _member(
    resource_type: str, compartment: tuple[str, str], registry: Registry
) -> Condition | None:
    """What puts a resource of the type into the compartment; None when nothing can."""
    name, id_ = compartment
    if name == "Patient":
        codes = registry.compartment(resource_type)
    else:
        published = registry.definitions.compartments.get(name, {}).get(resource_type, ())
        codes = tuple(code for code in published if code in registry.parameters(resource_type))
    posted = tuple(
        Posted(symbol, (f"{name}/{id_}",))
        for symbol in dict.fromkeys(
            index.symbol
            for code in codes
            for index in registry.indexes_of(resource_type, code)
            if index.may_hold(name)
        )
    )
    if not posted:
        return None
    return posted[0] if len(posted) == 1 else AnyOf(posted)


def _flat(condition: Condition) -> Condition:
    """Nested conjunctions as one; one that holds the impossible is the impossible."""
    if not isinstance(condition, AllOf):
        return condition
    flat: list[Condition] = []
    for each in condition.conditions:
        inner = _flat(each)
        if inner == AnyOf():
            return inner
        flat.extend(inner.conditions if isinstance(inner, AllOf) else (inner,))
    return AllOf(tuple(flat))

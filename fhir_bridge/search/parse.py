"""A search as it is written: names and values in, a checked `Search` out.

https://hl7.org/fhir/R4/search.html.  Everything that cannot be answered is refused with
what is allowed; a lenient caller has it dropped and reported
(https://hl7.org/fhir/R4/search.html#lenient).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fhir_bridge.errors import BridgeError, Issue
from fhir_bridge.search.bounds import MAX_VALUES, require_bounds
from fhir_bridge.search.compiling import compile_criterion
from fhir_bridge.search.conditions import AllOf, Condition, nothing
from fhir_bridge.search.criteria import Criterion, parse_name
from fhir_bridge.search.directives import DIRECTIVES, Directives, read_directive
from fhir_bridge.search.registry import Registry

__all__ = ["Search", "parse_search"]


@dataclass(frozen=True, slots=True)
class Search:
    """A checked search: per type the conditions to satisfy, and how the answer is wanted.

    `types` are (resource type, condition); `accepted` the pairs that were used, for the
    self link; `ignored` one warning for each pair that a lenient caller had dropped.
    """

    types: tuple[tuple[str, Condition], ...]
    directives: Directives
    accepted: tuple[tuple[str, str], ...] = ()
    ignored: tuple[Issue, ...] = ()


def parse_search(
    resource_type: str | None,
    pairs: Sequence[tuple[str, str]],
    registry: Registry,
    *,
    lenient: bool = False,
) -> Search:
    """The search of `pairs` (decoded names and values) on one type, or on all (None).

    Raises BridgeError FB-4101 (unknown parameter), FB-4102 (modifier), FB-4103 (value),
    FB-4104 (include), FB-4105 (sort), FB-4106 to FB-4109, FB-4113, FB-4114 (filter); its
    details list what is allowed.
    """
    if len(pairs) > MAX_VALUES:
        raise BridgeError("FB-4109", limit=MAX_VALUES)
    types, common = _types(resource_type, pairs, registry)
    directives = Directives()
    conditions: dict[str, list[Condition]] = {each: [] for each in types}
    accepted: list[tuple[str, str]] = []
    ignored: list[Issue] = []
    for name, value in dict.fromkeys(pairs):
        try:
            code = name.partition(":")[0]
            if code == "_type" and resource_type is None:
                pass  # it has chosen the types already
            elif code in DIRECTIVES:
                directives = read_directive(directives, name, value, common, registry)
            elif value.strip():
                criterion = parse_name(name)
                for each in common:  # refused here when no type has such a criterion
                    condition = compile_criterion(criterion, each, value, registry)
                    if each in conditions:
                        conditions[each].append(condition)
                for each in types if common == ("Resource",) else ():
                    conditions[each].append(_if_about(criterion, each, value, registry))
            accepted.append((name, value))
        except BridgeError as error:
            if not lenient or error.code not in _DROPPED_WHEN_LENIENT:
                raise
            lead = error.issues[0]
            ignored.append(Issue(lead.code, "warning", lead.where, lead.details))
    require_bounds(conditions)
    return Search(
        tuple((each, AllOf(tuple(of_type))) for each, of_type in conditions.items()),
        directives,
        tuple(accepted),
        tuple(ignored),
    )


_MAX_NAMED_TYPES = 20
"""Types whose own parameters a search of several may name."""

_DROPPED_WHEN_LENIENT = frozenset({"FB-4101", "FB-4102", "FB-4105", "FB-4106", "FB-4117"})


def _if_about(
    criterion: Criterion, resource_type: str, value: str, registry: Registry
) -> Condition:
    """A criterion that all resources take, of one type; none of a type that it cannot be about."""
    try:
        return compile_criterion(criterion, resource_type, value, registry)
    except BridgeError:
        return nothing()


def _types(
    resource_type: str | None, pairs: Sequence[tuple[str, str]], registry: Registry
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The types to search, and those whose parameters are meant ("Resource" for all)."""
    all_types = registry.definitions.resource_types
    if resource_type is not None:
        if resource_type not in all_types:
            raise BridgeError("FB-4103", "", parameter="type", expected="a FHIR R4 resource type")
        return (resource_type,), (resource_type,)
    chosen: set[str] | None = None
    for name, value in pairs:
        if name in ("_type", "_type:not"):
            listed = {each.strip() for each in value.split(",") if each.strip()}
            if not listed <= all_types:
                raise BridgeError("FB-4103", "_type", parameter="_type", expected="R4 types")
            listed = listed if name == "_type" else set(all_types) - listed
            chosen = listed if chosen is None else chosen & listed
    if chosen is None:
        return registry.settings.resource_types, ("Resource",)
    types = tuple(sorted(chosen))
    return types, types if len(types) <= _MAX_NAMED_TYPES else ("Resource",)

"""A search as it is asked: names and values in, a checked `Search` out.

https://hl7.org/fhir/R4/search.html.  Everything that cannot be answered is refused with
what is allowed; a lenient caller has it dropped and reported
(https://hl7.org/fhir/R4/search.html#lenient).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fhir_bridge.errors import BridgeError, Issue
from fhir_bridge.search.conditions import (
    AllOf,
    Chain,
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
    parse_name,
    split_escaped,
    unescape,
)
from fhir_bridge.search.directives import DIRECTIVES, Directives, read_directive
from fhir_bridge.search.values import MODIFIERS, condition, narrative, updated

if TYPE_CHECKING:
    from fhir_bridge.fhir import SearchParameter
    from fhir_bridge.search.registry import Registry

__all__ = ["Search", "parse_search"]

MOST_VALUES = 2_000
"""Values joined by commas in one parameter, and parameters in one search."""


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
    FB-4104 (include), FB-4105 (sort), FB-4106 to FB-4109; its details list what is allowed.
    """
    if len(pairs) > MOST_VALUES:
        raise BridgeError("FB-4109", limit=MOST_VALUES)
    types, common = _types(resource_type, pairs, registry)
    directives = Directives()
    conditions: dict[str, list[Condition]] = {each: [] for each in types}
    accepted: list[tuple[str, str]] = []
    ignored: list[Issue] = []
    for name, value in pairs:
        try:
            code = name.partition(":")[0]
            if code == "_type" and resource_type is None:
                pass  # it has chosen the types already
            elif code in DIRECTIVES:
                directives = read_directive(directives, name, value, common, registry)
            elif value.strip():
                criterion = parse_name(name)
                for each in common:  # refused here when it cannot be asked
                    found = _asked(criterion, each, value, registry)
                    if each in conditions:
                        conditions[each].append(found)
                for each in types if common == ("Resource",) else ():
                    conditions[each].append(_asked(criterion, each, value, registry))
            accepted.append((name, value))
        except BridgeError as error:
            if not lenient or error.code not in _DROPPED_WHEN_LENIENT:
                raise
            lead = error.issues[0]
            ignored.append(Issue(lead.code, "warning", lead.where, lead.details))
    return Search(
        tuple((each, AllOf(tuple(found))) for each, found in conditions.items()),
        directives,
        tuple(accepted),
        tuple(ignored),
    )


_DROPPED_WHEN_LENIENT = frozenset({"FB-4101", "FB-4102", "FB-4105", "FB-4106"})


def _types(
    resource_type: str | None, pairs: Sequence[tuple[str, str]], registry: Registry
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The types to search, and those whose parameters are asked ("Resource" for all)."""
    known = registry.definitions.resource_types
    if resource_type is not None:
        if resource_type not in known:
            raise BridgeError("FB-4103", "", parameter="type", expected="a FHIR R4 resource type")
        return (resource_type,), (resource_type,)
    chosen: set[str] | None = None
    for name, value in pairs:
        if name in ("_type", "_type:not"):
            named = {each.strip() for each in value.split(",") if each.strip()}
            if not named <= known:
                raise BridgeError("FB-4103", "_type", parameter="_type", expected="R4 types")
            named = named if name == "_type" else set(known) - named
            chosen = named if chosen is None else chosen & named
    if chosen is None:
        return tuple(sorted(known)), ("Resource",)
    types = tuple(sorted(chosen))
    return types, types if len(types) <= 20 else ("Resource",)


def _asked(criterion: Criterion, resource_type: str, value: str, registry: Registry) -> Condition:
    """The condition of one criterion on one type."""
    match criterion:
        case Own():
            return _own(criterion, resource_type, value, registry)
        case Chained():
            return _chained(criterion, resource_type, value, registry)
        case Reversed():
            return _reversed(criterion, resource_type, value, registry)


def _own(own: Own, resource_type: str, value: str, registry: Registry) -> Condition:
    code, modifier = own.code, own.modifier
    if code == "_type":
        same = resource_type in value.split(",")
        return AllOf() if same != (modifier == "not") else nothing()
    if code == "_list":
        if value.startswith("$"):
            raise BridgeError("FB-4106", code, parameter=f"_list={value}")
        return OnList(value)
    parameter = _parameter(code, resource_type, registry)
    kind = "token" if code == "_id" else parameter.type
    _check_modifier(parameter, kind, modifier, registry)
    if modifier == "missing":
        if value not in ("true", "false"):
            raise BridgeError("FB-4103", code, parameter=f"{code}:missing", expected="true, false")
        if code in ("_id", "_lastUpdated"):
            return AllOf() if value == "false" else nothing()
        present = _present(parameter, registry.indexes(resource_type, code))
        return present if value == "false" else Not(present)
    values = split_escaped(value, ",")
    if len(values) > MOST_VALUES:
        raise BridgeError("FB-4109", code, limit=MOST_VALUES)
    if code == "_id":
        ids = Ids(resource_type, tuple(unescape(each) for each in values))
        return Not(ids) if modifier == "not" else ids
    negated = {"not": "", "not-in": "in"}.get(modifier)
    single = modifier if negated is None else negated
    asked = tuple(_one(parameter, single, each, resource_type, registry) for each in values)
    either = any_of(asked)
    return either if negated is None else Not(either)


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


def _present(parameter: SearchParameter, symbols: tuple[str, ...]) -> Condition:
    if parameter.type in ("composite", "special") or parameter.code == "_content":
        raise BridgeError(
            "FB-4102", parameter.code, parameter=parameter.code, modifier="missing", allowed=""
        )
    return any_of(Present(symbol, parameter.type) for symbol in symbols)


def _parameter(code: str, resource_type: str, registry: Registry) -> SearchParameter:
    parameters = registry.parameters(resource_type)
    parameter = parameters.get(code)
    if parameter is None:
        allowed = ", ".join([*parameters, *DIRECTIVES, "_has", "_list", "_type"])
        raise BridgeError(
            "FB-4101", code, parameter=code, resource_type=resource_type, allowed=allowed
        )
    if code in ("_filter", "_query") or parameter.type == "special":
        raise BridgeError("FB-4106", code, parameter=code)
    return parameter


def _check_modifier(
    parameter: SearchParameter, kind: str, modifier: str, registry: Registry
) -> None:
    if not modifier:
        return
    allowed = ("missing", "not") if parameter.code == "_id" else MODIFIERS[kind]
    targets = parameter.targets or tuple(sorted(registry.definitions.resource_types))
    if modifier in allowed or (kind == "reference" and modifier in targets):
        return
    named = (*allowed, *parameter.targets) if kind == "reference" else allowed
    raise BridgeError(
        "FB-4102",
        parameter.code,
        parameter=parameter.code,
        modifier=modifier,
        allowed=", ".join(named) or "none",
    )


def _chained(chained: Chained, resource_type: str, value: str, registry: Registry) -> Condition:
    """Any target type that knows the rest will do; it is an error when none does."""
    code, target, rest = chained.code, chained.target, chained.rest
    parameter = _parameter(code, resource_type, registry)
    if parameter.type != "reference":
        raise BridgeError("FB-4103", code, parameter=code, expected="a reference before the dot")
    known = parameter.targets or tuple(sorted(registry.definitions.resource_types))
    if target and target not in known:
        raise BridgeError(
            "FB-4102", code, parameter=code, modifier=target, allowed=", ".join(known)
        )
    found: dict[str, Condition] = {}
    first: BridgeError | None = None
    for each in (target,) if target else known:
        try:
            found[each] = _asked(rest, each, value, registry)
        except BridgeError as error:
            first = first or error
    if not found and first:
        raise first
    return any_of(Chain(symbol, found) for symbol in registry.indexes(resource_type, code))


def _reversed(reversed_: Reversed, resource_type: str, value: str, registry: Registry) -> Condition:
    source, code, rest = reversed_.resource_type, reversed_.code, reversed_.rest
    if source not in registry.definitions.resource_types:
        raise BridgeError(
            "FB-4103", "_has", parameter="_has", expected="_has:Type:reference:parameter"
        )
    parameter = _parameter(code, source, registry)
    if parameter.type != "reference" or (
        parameter.targets and resource_type != "Resource" and resource_type not in parameter.targets
    ):
        raise BridgeError(
            "FB-4103",
            "_has",
            parameter=f"_has:{source}:{code}",
            expected=f"a reference of {source} to {resource_type}",
        )
    asked = _asked(rest, source, value, registry)
    return any_of(Has(source, symbol, asked) for symbol in registry.indexes(source, code))

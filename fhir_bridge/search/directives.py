"""Search result parameters: what comes back, in which order, how much of it.

https://hl7.org/fhir/R4/search.html#return
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from fhir_bridge.errors import BridgeError

if TYPE_CHECKING:
    from fhir_bridge.search.registry import Registry

__all__ = [
    "DEFAULT_COUNT",
    "DIRECTIVES",
    "LARGEST_COUNT",
    "Directives",
    "Include",
    "Sort",
    "read_directive",
]

DEFAULT_COUNT = 50
LARGEST_COUNT = 1_000
_MOST_SORTS = 4

DIRECTIVES = (
    "_contained",
    "_count",
    "_elements",
    "_include",
    "_revinclude",
    "_sort",
    "_summary",
    "_total",
)
"""Codes of the result parameters; `_type` and `_list` select and are criteria."""

_TOTALS = ("none", "estimate", "accurate")
_SUMMARIES = ("true", "text", "data", "count", "false")
_SORTABLE = frozenset({"string", "date", "number", "quantity"})


@dataclass(frozen=True, slots=True)
class Include:
    """Also bring what a page points to (or what points to it, for a reverse one).

    `source_type` ("*": any) holds the reference parameter `code` ("*": any) to
    `target_type` ("": any); `iterate` also follows from what was brought.
    """

    source_type: str
    code: str
    target_type: str
    iterate: bool
    reverse: bool


@dataclass(frozen=True, slots=True)
class Sort:
    """One sort key: a parameter's code (``_lastUpdated`` and ``_id`` included)."""

    code: str
    descending: bool


@dataclass(frozen=True, slots=True)
class Directives:
    """How the answer is wanted."""

    count: int = DEFAULT_COUNT
    total: Literal["none", "estimate", "accurate"] = "none"
    sort: tuple[Sort, ...] = ()
    includes: tuple[Include, ...] = ()
    summary: Literal["", "true", "text", "data", "count", "false"] = ""
    elements: tuple[str, ...] = ()


def read_directive(
    directives: Directives, name: str, value: str, types: tuple[str, ...], registry: Registry
) -> Directives:
    """`directives` with one more parameter applied; `name` may hold a modifier.

    Raises BridgeError FB-4103 (value), FB-4104 (include) or FB-4105 (sort).
    """
    code, _, modifier = name.partition(":")
    match code:
        case "_count":
            if not (value.isascii() and value.isdigit() and len(value) < 10):
                raise _value(code, f"a whole number from 0 to {LARGEST_COUNT}")
            return replace(directives, count=min(int(value), LARGEST_COUNT))
        case "_total":
            _require(code, value, _TOTALS)
            return replace(directives, total=value)  # type: ignore[arg-type]
        case "_summary":
            _require(code, value, _SUMMARIES)
            return replace(directives, summary=value)  # type: ignore[arg-type]
        case "_elements":
            named = tuple(each.strip() for each in value.split(",") if each.strip())
            return replace(directives, elements=directives.elements + named)
        case "_sort":
            found = tuple(_sort(each, types, registry) for each in value.split(","))
            if len(found) > _MOST_SORTS:
                raise _value(code, f"at most {_MOST_SORTS} sort keys")
            return replace(directives, sort=directives.sort + found)
        case "_contained":
            _require(code, value, ("false",))
            return directives
        case _:
            include = _include(code, modifier, value, registry)
            return replace(directives, includes=(*directives.includes, include))


def _require(code: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise _value(code, ", ".join(allowed))


def _value(code: str, expected: str) -> BridgeError:
    return BridgeError("FB-4103", code, parameter=code, expected=expected)


def _sort(text: str, types: tuple[str, ...], registry: Registry) -> Sort:
    code = text.strip().lstrip("-+ ")
    for resource_type in types:
        parameters = registry.parameters(resource_type)
        parameter = parameters.get(code)
        sortable = parameter is not None and _sortable(code, parameter.type)
        if not sortable:
            allowed = sorted(c for c, p in parameters.items() if _sortable(c, p.type))
            raise BridgeError("FB-4105", "_sort", parameter=code, allowed=", ".join(allowed))
    return Sort(code, text.strip().startswith("-"))


def _sortable(code: str, kind: str) -> bool:
    return code == "_id" or (kind in _SORTABLE and code not in ("_text", "_content"))


def _include(code: str, modifier: str, value: str, registry: Registry) -> Include:
    """``Type:parameter[:TargetType]``, ``Type:*`` or ``*``."""
    reverse = code == "_revinclude"
    if modifier not in ("", "iterate"):
        raise BridgeError("FB-4102", code, parameter=code, modifier=modifier, allowed="iterate")
    parts = value.split(":")
    known = registry.definitions.resource_types
    source, parameter_code, target = (
        (*parts, "*", "")[:3] if parts == ["*"] else (*parts, "", "")[:3]
    )
    if len(parts) > 3 or not parameter_code:
        raise _bad_include(code, "Type:parameter or Type:parameter:TargetType")
    if source != "*" and source not in known:
        raise _bad_include(code, "a resource type before the colon")
    if target and target not in known:
        raise _bad_include(code, "a resource type after the second colon")
    if parameter_code != "*":
        _check_reference(code, source, parameter_code, target, registry)
    return Include(source, parameter_code, target, modifier == "iterate", reverse)


def _check_reference(
    code: str, source: str, parameter_code: str, target: str, registry: Registry
) -> None:
    """The parameter must be a reference of the source type that can point to the target."""
    if source == "*":
        raise _bad_include(code, "* as the parameter when the type is *")
    parameters = registry.parameters(source)
    parameter = parameters.get(parameter_code)
    if parameter is None or parameter.type != "reference":
        names: Iterable[str] = (c for c, p in parameters.items() if p.type == "reference")
        raise _bad_include(code, f"one of {', '.join(sorted(names))} for {source}")
    if target and parameter.targets and target not in parameter.targets:
        raise _bad_include(code, f"one of {', '.join(sorted(parameter.targets))} as target")


def _bad_include(code: str, expected: str) -> BridgeError:
    return BridgeError("FB-4104", code, parameter=code, expected=expected)

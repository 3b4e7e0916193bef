"""Search result parameters: what comes back, in which order, how much of it.

https://hl7.org/fhir/R4/search.html#return
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from fhir_bridge.errors import BridgeError
from fhir_bridge.search.registry import Registry
from fhir_bridge.search.types import REFERENCE

__all__ = [
    "DEFAULT_COUNT",
    "DIRECTIVES",
    "MAX_COUNT",
    "Directives",
    "Include",
    "Sort",
    "read_directive",
]

DEFAULT_COUNT = 50
MAX_COUNT = 1_000
_MAX_SORTS = 4

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


@dataclass(frozen=True, slots=True)
class Include:
    """Also bring what a page points to (or what points to it, for a reverse one).

    `source_type` ("*": any) has the reference parameter `code` ("*": any) to
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
                raise _value(code, f"a whole number from 0 to {MAX_COUNT}")
            return replace(directives, count=min(int(value), MAX_COUNT))
        case "_total":
            _require(code, value, _TOTALS)
            return replace(directives, total=value)  # type: ignore[arg-type]
        case "_summary":
            _require(code, value, _SUMMARIES)
            return replace(directives, summary=value)  # type: ignore[arg-type]
        case "_elements":
            elements = tuple(each.strip() for each in value.split(",") if each.strip())
            return replace(directives, elements=directives.elements + elements)
        case "_sort":
            sorts = tuple(_sort(each, types, registry) for each in value.split(","))
            if len(sorts) > _MAX_SORTS:
                raise _value(code, f"at most {_MAX_SORTS} sort keys")
            return replace(directives, sort=directives.sort + sorts)
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
        if not _is_sortable(registry, resource_type, code):
            allowed = (
                each
                for each in sorted(registry.parameters(resource_type))
                if _is_sortable(registry, resource_type, each)
            )
            raise BridgeError("FB-4105", "_sort", parameter=code, allowed=", ".join(allowed))
    return Sort(code, text.strip().startswith("-"))


def _is_sortable(registry: Registry, resource_type: str, code: str) -> bool:
    parameter = registry.resolve(resource_type, code)
    return parameter is not None and parameter.type.is_sortable


def _include(code: str, modifier: str, value: str, registry: Registry) -> Include:
    """``Type:parameter[:TargetType]``, ``Type:*`` or ``*``."""
    reverse = code == "_revinclude"
    if modifier not in ("", "iterate"):
        raise BridgeError("FB-4102", code, parameter=code, modifier=modifier, allowed="iterate")
    parts = value.split(":")
    types = registry.definitions.resource_types
    source, parameter_code, target = (
        (*parts, "*", "")[:3] if parts == ["*"] else (*parts, "", "")[:3]
    )
    if len(parts) > 3 or not parameter_code:
        raise _bad_include(code, "Type:parameter or Type:parameter:TargetType")
    if source != "*" and source not in types:
        raise _bad_include(code, "a resource type before the colon")
    if target and target not in types:
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
    parameter = registry.resolve(source, parameter_code)
    if parameter is None or parameter.type is not REFERENCE:
        names = ", ".join(registry.reference_codes(source))
        raise _bad_include(code, f"one of {names} for {source}")
    if target and target not in parameter.targets:
        raise _bad_include(code, f"one of {', '.join(sorted(parameter.targets))} as target")


def _bad_include(code: str, expected: str) -> BridgeError:
    return BridgeError("FB-4104", code, parameter=code, expected=expected)

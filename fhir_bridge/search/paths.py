"""Plain paths, walked directly: what nearly every search parameter's expression is.

``Patient.name | (Person.name as HumanName)``, ``Observation.value.as(Quantity)`` and
``Observation.subject.where(resolve() is Patient)`` name elements that the definitions know,
so that their JSON keys and types are fixed when the expression is read.  Anything else is
left to `fhir_bridge.fhirpath`; tests/search/test_paths.py holds both to the same answers on
every published example.  Why: docs/decisions/adr-2611-search-index-extraction.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fhir_bridge.fhir import Definitions, Resource
from fhir_bridge.search.reference import target_type

__all__ = ["Path", "plain_paths", "walk"]

_MEMBER = re.compile(
    r"\(?\s*([A-Z]\w+)((?:\.[a-z]\w*)+?)"
    r"(?:\.(?:as|ofType)\(\s*(\w+)\s*\)|\s+as\s+(\w+))?"
    r"(?:\.where\(\s*resolve\(\)\s+is\s+(\w+)\s*\))?\s*\)?"
)


@dataclass(frozen=True, slots=True)
class Path:
    """JSON keys from the resource to an element, the element's type, and the type of resource
    that a reference there must point to ("": any)."""

    keys: tuple[str, ...]
    type: str
    target: str


def plain_paths(
    definitions: Definitions, resource_type: str, expression: str
) -> tuple[Path, ...] | None:
    """The paths of an expression; None when it is more than a union of plain paths."""
    found: list[Path] = []
    for member in expression.split("|"):
        match = _MEMBER.fullmatch(member.strip())
        if not match:
            return None
        owner, steps, as_method, as_operator, target = match.groups()
        if not definitions.is_a(resource_type, owner):
            return None
        wanted = as_method or as_operator or ""
        ends = _ends(definitions, resource_type, steps[1:].split("."))
        if ends is None:
            return None
        found += [
            Path(keys, kind, target or "")
            for keys, kind in ends
            if not wanted or definitions.is_a(kind, wanted)
        ]
    return tuple(dict.fromkeys(found))


def walk(path: Path) -> Callable[[Resource], list[tuple[str, Any]]]:
    """A function from a resource to the typed values at `path`."""
    kind, target = path.type, path.target
    *way, last = path.keys

    def values(resource: Resource) -> list[tuple[str, Any]]:
        nodes = [resource]
        for key in way:
            nodes = _children(nodes, key)
        return [(kind, value) for value in _children(nodes, last)]

    def first(resource: Resource) -> list[tuple[str, Any]]:
        value = resource.get(last)
        if type(value) is list:
            return [(kind, each) for each in value if each is not None]
        return [] if value is None else [(kind, value)]

    plain = values if way else first
    if not target:
        return plain
    return lambda resource: [
        each
        for each in plain(resource)
        if isinstance(each[1], dict) and target_type(each[1].get("reference") or "") == target
    ]


def _children(nodes: list[Any], key: str) -> list[Any]:
    found: list[Any] = []
    for node in nodes:
        value = node.get(key) if type(node) is dict else None
        if type(value) is list:
            found += [each for each in value if each is not None]
        elif value is not None:
            found.append(value)
    return found


def _ends(
    definitions: Definitions, resource_type: str, steps: list[str]
) -> list[tuple[tuple[str, ...], str]] | None:
    """Every (keys, type) that a path of element names can end at; None for an unknown name."""
    ends: list[tuple[tuple[str, ...], str]] = [((), resource_type)]
    for step in steps:
        further = []
        for keys, kind in ends:
            shape = definitions.types.get(kind)
            if shape is None:
                return None
            for key in shape.choices.get(step, (step,)):
                element = shape.elements.get(key)
                if element is None:
                    return None
                further.append(((*keys, key), element.type))
        ends = further
    return ends

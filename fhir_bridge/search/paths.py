"""Plain paths, walked directly: what nearly every search parameter's expression is.

``Patient.name | (Person.name as HumanName)``, ``Observation.value.as(Quantity)`` and
``Observation.subject.where(resolve() is Patient)`` name elements that the definitions know,
so that their JSON keys and types are fixed when the expression is read.  Anything else is
left to `fhir_bridge.fhirpath`; tests/search/test_paths.py holds both to the same answers on
every published example.  Why: docs/decisions/adr-2611-search-index-extraction.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from fhir_bridge.fhir import Definitions, Resource
from fhir_bridge.search.types import target_type

__all__ = ["Path", "are_forms_of_one", "has_one_value", "plain_paths", "walk"]

_OWNER = re.compile(r"\(*\s*([A-Z]\w+)")
_STEP = re.compile(
    r"\s*(?:\.(?P<name>[a-z]\w*)(?!\w*\()"
    r"|(?:\.(?:as|ofType)\(\s*|\s+as\s+)(?P<type>\w+)\s*\)?"
    r"|\.where\(\s*resolve\(\)\s+is\s+(?P<target>\w+)\s*\)"
    r"|\.where\(\s*(?P<key>\w+)\s*=\s*'(?P<value>[^']*)'\s*\)"
    r"|(?P<close>\)))"
)
_ONE_TEXT = frozenset({"Coding", "Identifier", "Reference"})
_Ends = list[tuple[tuple[str, ...], str]]


@dataclass(frozen=True, slots=True)
class Path:
    """Where an element is, its type, and a filter on it.

    `keys` lead from the resource to the element; `target` is the type of resource that a
    reference there must point to; `where` a (key, value) that it must hold; empty for none.
    """

    keys: tuple[str, ...]
    type: str
    target: str = ""
    where: tuple[str, ...] = ()


def plain_paths(
    definitions: Definitions, resource_type: str, expression: str
) -> tuple[Path, ...] | None:
    """The paths of an expression; None when it is more than a union of plain paths."""
    found: list[Path] = []
    for member in expression.split("|"):
        paths = _member(definitions, resource_type, member.strip())
        if paths is None:
            return None
        found += paths
    return tuple(dict.fromkeys(found))


def has_one_value(definitions: Definitions, resource_type: str, expression: str) -> bool:
    """Whether an expression is one plain path that leads to at most one simple value."""
    paths = plain_paths(definitions, resource_type, expression) or ()
    return len(paths) == 1 and _is_single(definitions, resource_type, paths[0])


def are_forms_of_one(definitions: Definitions, resource_type: str, paths: Sequence[Path]) -> bool:
    """Whether `paths` lead to the forms of one element, of which at most one is there, once."""
    if any(len(path.keys) != 1 for path in paths):
        return False
    found = [definitions.types[resource_type].elements[path.keys[0]] for path in paths]
    names = {element.choice or element.key for element in found}
    return len(names) == 1 and not any(element.is_list for element in found)


def _is_single(definitions: Definitions, resource_type: str, path: Path) -> bool:
    owner = resource_type
    for key in path.keys:
        element = definitions.types[owner].elements[key]
        if element.is_list:
            return False
        owner = element.type
    return path.type in definitions.primitive_types or path.type in _ONE_TEXT


def _member(definitions: Definitions, resource_type: str, member: str) -> list[Path] | None:
    """The paths of one member of a union; filters may only stand at its end."""
    start = _OWNER.match(member)
    if not start or not definitions.is_a(resource_type, start[1]):
        return None
    ends: _Ends = [((), resource_type)]
    target, place = "", start.end()
    where: tuple[str, ...] = ()
    while place < len(member):
        step = _STEP.match(member, place)
        if not step or ((target or where) and not step["close"]):
            return None
        place = step.end()
        if step["name"]:
            further = _further(definitions, ends, step["name"])
            if further is None:
                return None
            ends = further
        elif step["type"]:
            ends = [each for each in ends if _is(definitions, each[1], step["type"])]
        elif step["target"]:
            target = step["target"]
        elif step["key"]:
            where = (step["key"], step["value"])
    return (
        [Path(keys, kind, target, where) for keys, kind in ends]
        if ends != [((), resource_type)]
        else None
    )


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

    def second(resource: Resource) -> list[tuple[str, Any]]:
        outer = resource.get(way[0])
        if type(outer) is dict:
            inner = outer.get(last)
            if type(inner) is not list:
                return [] if inner is None else [(kind, inner)]
        elif outer is None:
            return []
        return values(resource)

    plain = (first, second)[len(way)] if len(way) < 2 else values
    if path.where:
        name, wanted = path.where
        return lambda resource: [
            each
            for each in plain(resource)
            if isinstance(each[1], dict) and each[1].get(name) == wanted
        ]
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


def _is(definitions: Definitions, kind: str, wanted: str) -> bool:
    """An Age is a Quantity; of primitives only the same one counts (a canonical is no uri)."""
    return kind == wanted or (
        kind not in definitions.primitive_types and definitions.is_a(kind, wanted)
    )


def _further(definitions: Definitions, ends: _Ends, step: str) -> _Ends | None:
    """The ends one element name further; None for a name that is not known."""
    found: _Ends = []
    for keys, kind in ends:
        shape = definitions.types.get(kind)
        if shape is None:
            return None
        for key in shape.choices.get(step, (step,)):
            element = shape.elements.get(key)
            if element is None:
                return None
            found.append(((*keys, key), element.type))
    return found

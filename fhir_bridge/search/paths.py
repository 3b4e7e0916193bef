"""Plain paths, walked directly: what nearly every search parameter's expression is.

``Patient.name | (Person.name as HumanName)``, ``Observation.value.as(Quantity)`` and
``Observation.subject.where(resolve() is Patient)`` name elements that the definitions know:
their form (`fhirpath.form`) is a few JSON keys and types.  Anything else is left to
`fhir_bridge.fhirpath`; tests/search/test_paths.py holds both to the same answers on
every published example.  Why: docs/decisions/adr-2611-search-index-extraction.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fhir_bridge import fhirpath
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import Definitions, ElementDefinition, Resource
from fhir_bridge.fhirpath.form import Child, Constant, Form, Item, Merge, Operation, RefersTo, Where
from fhir_bridge.search.types import target_type

__all__ = [
    "RESOLVED_BY_TYPE",
    "Path",
    "are_forms_of_one",
    "has_one_value",
    "plain_paths",
    "unfiltered_paths",
    "walk",
]


def _stand_in(written: str) -> Resource | None:
    target = target_type(written)
    return {"resourceType": target} if target else None


RESOLVED_BY_TYPE = fhirpath.Environment(resolve=_stand_in)
"""For ``resolve() is Patient`` the type that the reference names is enough."""

_ONE_TEXT = frozenset({"Coding", "Identifier", "Reference"})


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
    """The paths of an expression; None when it is more than a union of plain paths.

    One that cannot be read has none; FHIRPath says why where it is evaluated.
    """
    form = _form(definitions, resource_type, expression)
    return None if form is None else _union(definitions, resource_type, form)


def unfiltered_paths(
    definitions: Definitions, resource_type: str, expression: str
) -> tuple[Path, ...] | None:
    """As `plain_paths`, of the expression without its filters (``where``).

    >>> from fhir_bridge.fhir import definitions
    >>> expression = "Observation.subject.where(resolve() is Patient)"
    >>> [path.keys for path in unfiltered_paths(definitions(), "Observation", expression)]
    [('subject',)]
    """
    form = _form(definitions, resource_type, expression)
    return None if form is None else _union(definitions, resource_type, _without_filters(form))


def _form(definitions: Definitions, resource_type: str, expression: str) -> Form | None:
    try:
        return fhirpath.compile(expression, definitions=definitions).form(resource_type)
    except BridgeError:
        return None


def _without_filters(form: Form) -> Form:
    match form:
        case Where(then=then):
            return _without_filters(then)
        case Child(name=name, branches=branches):
            return Child(name, tuple((field, _without_filters(then)) for field, then in branches))
        case Merge(parts=parts, after=after):
            return Merge(
                tuple(map(_without_filters, parts)),
                tuple((kind, _without_filters(then)) for kind, then in after),
            )
    return form


def _union(definitions: Definitions, resource_type: str, form: Form) -> tuple[Path, ...] | None:
    """The paths of a form that is one, or a union of them."""
    parts: tuple[Form, ...] = (form,)
    if isinstance(form, Merge) and all(isinstance(then, Item) for _, then in form.after):
        parts = form.parts
    found: list[Path] = []
    for part in parts:
        paths = _paths(part, ())
        if paths is None:
            return None
        found += paths
    return tuple(
        replace(path, type=_type_of(definitions, resource_type, path.keys))
        for path in dict.fromkeys(found)
    )


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
    elements = _elements(definitions, resource_type, path.keys)
    return not any(element.is_list for element in elements) and (
        path.type in definitions.primitive_types or path.type in _ONE_TEXT
    )


def _type_of(definitions: Definitions, resource_type: str, keys: tuple[str, ...]) -> str:
    """The type that the definitions give to the element, where FHIRPath may say System.String."""
    return _elements(definitions, resource_type, keys)[-1].type


def _elements(
    definitions: Definitions, resource_type: str, keys: tuple[str, ...]
) -> list[ElementDefinition]:
    """The elements that keys lead through."""
    found: list[ElementDefinition] = []
    owner = resource_type
    for key in keys:
        found.append(definitions.types[owner].elements[key])
        owner = found[-1].type
    return found


def _paths(form: Form, keys: tuple[str, ...]) -> list[Path] | None:
    """The paths of a chain; filters may only be at its end."""
    match form:
        case Item(type=kind) if keys:
            return [Path(keys, kind)]
        case Where(test=RefersTo(type=target), then=Item(type=kind)):
            return [Path(keys, kind, target)]
        case Where(
            test=Operation(
                "=", Child(branches=((field, Item()),)), Constant(value=str() as wanted)
            ),
            then=Item(type=kind),
        ):
            return None if field.is_list else [Path(keys, kind, where=(field.key, wanted))]
        case Child(branches=branches):
            found: list[Path] = []
            for field, then in branches:
                paths = _paths(then, (*keys, field.key))
                if paths is None:
                    return None
                found += paths
            return found
    return None


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

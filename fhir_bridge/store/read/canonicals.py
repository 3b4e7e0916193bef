"""What a page brings along through canonical URLs: a Measure its Library, a Library its Measures.

https://hl7.org/fhir/R4/search.html#include and https://hl7.org/fhir/R4/references.html#canonical.
These references name a `url` and perhaps a version, and are read from the bodies; they occur in
definitions, which are few.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from fhir_bridge.fhir import parse_json
from fhir_bridge.search import Include, Registry, canonicals, parse_search
from fhir_bridge.search.hashing import VALUE_BITS, posting
from fhir_bridge.search.types import URI
from fhir_bridge.store.records import Stored
from fhir_bridge.store.select import Selector

__all__ = ["canonical_pointed", "canonical_pointing"]

Fetch = Callable[[list[int]], list[Stored]]
"""The visible current resources with these row numbers."""


def canonical_pointed(
    selector: Selector, include: Include, fresh: list[Stored], registry: Registry
) -> set[int]:
    """Rows of what the resources of the include's type name by a canonical URL."""
    kinds = {each.resource_type for each in fresh} if include.source_type == "*" else ()
    codes = {kind: _codes(include, kind, registry) for kind in kinds or (include.source_type,)}
    wanted: dict[str, set[str]] = {}
    for each in fresh if any(codes.values()) else ():
        named = codes.get(each.resource_type, ())
        resource = parse_json(each.body) if named else {}
        for code in named:
            targets = registry.parameters(each.resource_type)[code].targets
            for canonical in canonicals(registry, resource, code):
                wanted.setdefault(canonical, set()).update(_targets(include, targets, registry))
    found: set[int] = set()
    for canonical, target_types in wanted.items():
        url, _, version = canonical.partition("|")
        pairs = [("url", url), ("version", version)] if version else [("url", url)]
        for resource_type in _with_url(selector, url, target_types, registry):
            found |= _rows(selector, resource_type, pairs, registry)
    return found


def canonical_pointing(
    selector: Selector, include: Include, fresh: list[Stored], registry: Registry, fetch: Fetch
) -> set[int]:
    """Rows of the include's type that name one of the resources by its canonical URL."""
    sources = (
        registry.definitions.resource_types
        if include.source_type == "*"
        else (include.source_type,)
    )
    asked = [
        (source, code) for source in sorted(sources) for code in _codes(include, source, registry)
    ]
    found: set[int] = set()
    for each in fresh if asked else ():
        if include.target_type not in ("", each.resource_type):
            continue
        resource = parse_json(each.body) if _has_url(each.resource_type, registry) else {}
        url, version = resource.get("url"), resource.get("version")
        if not isinstance(url, str):
            continue
        names = {url, f"{url}|{version}"}
        for source, code in asked:
            targets = registry.parameters(source)[code].targets
            if not targets or each.resource_type in targets:
                rows = fetch(sorted(_rows(selector, source, [(code, url)], registry)))
                found |= {
                    row.row_id
                    for row in rows
                    if not names.isdisjoint(canonicals(registry, parse_json(row.body), code))
                }
    return found


def _codes(include: Include, resource_type: str, registry: Registry) -> list[str]:
    """The include's parameters of the type whose values are canonical URLs."""
    named = registry.parameters(resource_type) if include.code == "*" else (include.code,)
    return [code for code in named if registry.is_canonical(resource_type, code)]


def _targets(include: Include, targets: Iterable[str], registry: Registry) -> list[str]:
    known = list(targets) or sorted(registry.definitions.resource_types)
    return [
        each for each in known if include.target_type in ("", each) and _has_url(each, registry)
    ]


def _has_url(resource_type: str, registry: Registry) -> bool:
    parameter = registry.resolve(resource_type, "url")
    return parameter is not None and parameter.type is URI


def _with_url(
    selector: Selector, url: str, target_types: set[str], registry: Registry
) -> list[str]:
    """Those of the types that some resource with the URL has."""
    numbers = {
        selector.numbers[symbol]: each
        for each in sorted(target_types)
        for symbol in registry.indexes(each, "url")
    }
    among, parameters = selector.session.among(
        "q.hash", [posting(number, url) for number in numbers]
    )
    rows = selector.session.all(
        f"SELECT DISTINCT q.hash FROM posting q WHERE {among}",  # noqa: S608 (fixed text)
        parameters,
    )
    return [numbers[row[0] >> VALUE_BITS] for row in rows]


def _rows(
    selector: Selector, resource_type: str, pairs: list[tuple[str, str]], registry: Registry
) -> set[int]:
    escaped = [(name, _escaped(value)) for name, value in pairs]
    _, condition = parse_search(resource_type, escaped, registry).types[0]
    text, parameters = selector.candidates(resource_type, condition)
    return {row[0] for row in selector.session.search(text, parameters)}


def _escaped(value: str) -> str:
    for letter in "\\,|$":
        value = value.replace(letter, f"\\{letter}")
    return value

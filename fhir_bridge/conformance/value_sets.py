"""ValueSets as lists of codes, where they can be listed from what is at hand.

https://hl7.org/fhir/R4/valueset.html#compositions
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fhir_bridge.fhir import Resource, definitions

__all__ = ["concepts_of", "expand"]

Systems = dict[str, set[str]]
_DEPTH = 20


def expand(
    value_set: Resource,
    value_sets: Mapping[str, Resource],
    code_systems: Mapping[str, Resource],
    depth: int = 0,
) -> Mapping[str, frozenset[str]] | None:
    """Codes by system; None when a part needs a code system or a filter that is not at hand."""
    if depth > _DEPTH:
        return None  # value sets that include each other
    if "expansion" in value_set and "compose" not in value_set:
        return _frozen(_published(value_set["expansion"].get("contains", ())))
    compose = value_set.get("compose", {})
    chosen: Systems = {}
    for include in compose.get("include", ()):
        part = _part(include, value_sets, code_systems, depth)
        if part is None:
            return None
        for system, codes in part.items():
            chosen.setdefault(system, set()).update(codes)
    for exclude in compose.get("exclude", ()):
        part = _part(exclude, value_sets, code_systems, depth)
        if part is None:
            return None
        for system, codes in part.items():
            chosen.get(system, set()).difference_update(codes)
    return _frozen(chosen)


def concepts_of(code_system: Resource) -> Iterator[tuple[dict[str, Any], tuple[str, ...]]]:
    """(concept, codes of its ancestors) of each concept, parents first."""
    stack: list[tuple[dict[str, Any], tuple[str, ...]]] = [
        (concept, ()) for concept in reversed(code_system.get("concept", ()))
    ]
    while stack:
        concept, above = stack.pop()
        yield concept, above
        path = (*above, str(concept.get("code", "")))
        stack.extend((child, path) for child in reversed(concept.get("concept", ())))


def _part(
    part: Mapping[str, Any],
    value_sets: Mapping[str, Resource],
    code_systems: Mapping[str, Resource],
    depth: int,
) -> Systems | None:
    """The codes of one include or exclude: the intersection of all that it states."""
    found: Systems | None = None
    if "system" in part:
        codes = _codes_of_system(part, code_systems)
        if codes is None:
            return None
        found = {part["system"]: codes}
    for url in part.get("valueSet", ()):
        plain = url.partition("|")[0]
        other = (
            expand(value_sets[plain], value_sets, code_systems, depth + 1)
            if plain in value_sets
            else definitions().value_set(plain)
        )
        if other is None:
            return None
        if found is None:
            found = {system: set(codes) for system, codes in other.items()}
        else:
            found = {
                system: codes & other.get(system, frozenset()) for system, codes in found.items()
            }
    return found if found is not None else {}


def _codes_of_system(
    part: Mapping[str, Any], code_systems: Mapping[str, Resource]
) -> set[str] | None:
    if "concept" in part:
        return {concept["code"] for concept in part["concept"]}
    code_system = code_systems.get(part["system"])
    if code_system is None or code_system.get("content") not in ("complete", None):
        return None
    concepts = [(str(concept["code"]), above) for concept, above in concepts_of(code_system)]
    codes = {code for code, _ in concepts}
    for rule in part.get("filter", ()):
        kept = _filtered(rule, concepts)
        if kept is None:
            return None
        codes &= kept
    return codes


def _filtered(
    rule: Mapping[str, Any], concepts: list[tuple[str, tuple[str, ...]]]
) -> set[str] | None:
    value, operator = rule.get("value", ""), rule.get("op")
    if rule.get("property") not in ("concept", "code"):
        return None
    if operator == "is-a":
        return {code for code, above in concepts if code == value or value in above}
    if operator == "descendent-of":
        return {code for code, above in concepts if value in above}
    if operator == "is-not-a":
        return {code for code, above in concepts if code != value and value not in above}
    if operator == "in":
        return {code for code, _ in concepts if code in value.split(",")}
    return {value} if operator == "=" else None


def _published(contains: Any) -> Systems:
    found: Systems = {}
    for item in contains:
        if "code" in item and not item.get("abstract"):
            found.setdefault(item.get("system", ""), set()).add(item["code"])
        for system, codes in _published(item.get("contains", ())).items():
            found.setdefault(system, set()).update(codes)
    return found


def _frozen(systems: Systems) -> Mapping[str, frozenset[str]]:
    return {system: frozenset(codes) for system, codes in systems.items()}

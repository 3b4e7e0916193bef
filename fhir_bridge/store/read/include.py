"""What a page brings along: the resources it points to, and those that point to it.

https://hl7.org/fhir/R4/search.html#include.  Every included resource passes the same
access as a match.
"""
# ruff: noqa: S608 (SQL is put together from fixed text; every value is a parameter)

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fhir_bridge.errors import Issue
from fhir_bridge.search import Include, Registry
from fhir_bridge.search.hashing import VALUE_BITS, VALUE_MASK, resource_key
from fhir_bridge.store.read.canonicals import canonical_pointed, canonical_pointing
from fhir_bridge.store.read.sight import visible_rows, visible_versions
from fhir_bridge.store.read.versions import Versions, names_versions
from fhir_bridge.store.records import COLUMNS, Stored, stored
from fhir_bridge.store.select import Selector

__all__ = ["MAX_INCLUDED", "included"]

MAX_INCLUDED = 5_000
"""Resources that one page may bring along."""

_MAX_ROUNDS = 32


def included(
    selector: Selector,
    includes: Sequence[Include],
    matches: list[Stored],
    registry: Registry,
    types: dict[int, str],
) -> tuple[list[Stored], bool, list[Issue]]:
    """The included resources, each once; whether the limit left some out; what is to be said."""
    found: dict[int, Stored] = {}
    known = {each.row_id for each in matches}
    fresh: list[Stored] = list(matches)
    versions = Versions(registry)

    def by_row(numbers: list[int]) -> list[Stored]:
        return _fetch(selector, "r.row_id", numbers, types)

    for round_ in range(_MAX_ROUNDS):
        active = [each for each in includes if each.iterate or round_ == 0]
        if not fresh or not active:
            break
        rows: set[int] = set()
        wanted: dict[int, set[str]] = {}
        for include in active:
            if include.reverse:
                pointing = _pointing(selector, include, fresh, registry)
                if pointing:
                    sources = filter(names_versions, by_row(sorted(pointing)))
                    versions.pointing(include, sources, fresh)
                rows |= pointing
                rows |= canonical_pointing(selector, include, fresh, registry, by_row)
                continue
            rows |= canonical_pointed(selector, include, fresh, registry)
            for key in _loosely_pointed(selector, include, fresh, registry, versions):
                wanted.setdefault(key, set()).add(include.target_type)
        pointed = _fetch(selector, "r.key", sorted(wanted), types)
        fetched = [each for each in pointed if _is_wanted(each, wanted)]
        fetched += _fetch(selector, "r.row_id", sorted(rows - known), types)
        fetched += versions.fetch(selector, types, visible_versions)
        fresh = []
        for each in fetched:
            if each.row_id in known:
                continue
            known.add(each.row_id)
            found[each.row_id] = each
            fresh.append(each)
            if len(found) >= MAX_INCLUDED:
                return list(found.values()), True, versions.issues
    return list(found.values()), False, versions.issues


def _is_wanted(each: Stored, wanted: Mapping[int, set[str]]) -> bool:
    targets = wanted[resource_key(each.resource_type, each.id)]
    return "" in targets or each.resource_type in targets


def _loosely_pointed(
    selector: Selector,
    include: Include,
    fresh: list[Stored],
    registry: Registry,
    versions: Versions,
) -> set[int]:
    """As `_pointed`, without what is only named with a version; that is noted in `versions`."""
    naming = [each for each in fresh if names_versions(each)]
    if not naming:
        return _pointed(selector, include, fresh, registry)
    others = [each for each in fresh if not names_versions(each)]
    keys = _pointed(selector, include, others, registry)
    for each in naming:
        pointed = _pointed(selector, include, [each], registry)
        keys |= versions.pointed(include, each, pointed) if pointed else set()
    return keys


def _pointed(
    selector: Selector, include: Include, fresh: list[Stored], registry: Registry
) -> set[int]:
    """Keys of what the resources of the include's type point to."""
    sources = [each.row_id for each in fresh if include.source_type in ("*", each.resource_type)]
    if not sources:
        return set()
    among, parameters = selector.session.among("f.row_id", sources)
    if include.code == "*":
        rows = selector.session.all(f"SELECT f.target FROM reference f WHERE {among}", parameters)
        return {row[0] for row in rows}
    found: set[int] = set()
    for symbol in registry.indexes(include.source_type, include.code):
        rows = selector.session.all(
            "SELECT f.target FROM reference f JOIN resource s ON s.row_id = f.row_id"
            " JOIN posting q ON q.hash = ? + (f.target & ?) AND q.date = s.sort_date"
            f" AND q.row_id = f.row_id WHERE {among}",
            [selector.numbers[symbol] << VALUE_BITS, VALUE_MASK, *parameters],
        )
        found.update(row[0] for row in rows)
    return found


def _pointing(
    selector: Selector, include: Include, fresh: list[Stored], registry: Registry
) -> set[int]:
    """Rows of the include's type that point to one of the resources."""
    targets = [each for each in fresh if include.target_type in ("", each.resource_type)]
    hashes = []
    for source_type in _source_types(include, registry):
        for code in _codes(include, source_type, registry):
            allowed = registry.parameters(source_type)[code].targets
            hashes += [
                (selector.numbers[index.symbol] << VALUE_BITS)
                | (resource_key(each.resource_type, each.id) & VALUE_MASK)
                for index in registry.indexes_of(source_type, code)
                for each in targets
                if (not allowed or each.resource_type in allowed)
                and index.may_hold(each.resource_type)
            ]
    if not hashes:
        return set()
    among, parameters = selector.session.among("q.hash", hashes)
    rows = selector.session.all(
        f"SELECT q.row_id FROM posting q WHERE {among} LIMIT ?",
        [*parameters, 4 * MAX_INCLUDED],
    )
    return {row[0] for row in rows}


def _source_types(include: Include, registry: Registry) -> list[str]:
    if include.source_type != "*":
        return [include.source_type]
    return sorted(registry.definitions.resource_types)


def _codes(include: Include, source_type: str, registry: Registry) -> list[str]:
    if include.code != "*":
        return [include.code]
    return list(registry.reference_codes(source_type))


def _fetch(
    selector: Selector, column: str, values: list[int], types: dict[int, str]
) -> list[Stored]:
    """Current visible versions by key or row number."""
    if not values:
        return []
    among, parameters = selector.session.among(column, values)
    live, live_parameters = selector.live("r.row_id")
    rows = selector.session.all(
        f"SELECT {COLUMNS} FROM resource r WHERE {among} AND {live} LIMIT ?",
        [*parameters, *live_parameters, MAX_INCLUDED],
    )
    return visible_rows(selector, [stored(row, types) for row in rows])

"""Who refers to a resource: its current referrers, by one look at the index.

Every reference search parameter that may lead to the type is asked at once; an element that
no parameter reads cannot be found so (https://hl7.org/fhir/R4/searchparameter-registry.html).
"""
# ruff: noqa: S608 (SQL is put together from fixed text; every value is a parameter)

from __future__ import annotations

from collections.abc import Iterable, Mapping

from fhir_bridge.search import Registry
from fhir_bridge.search.hashing import posting
from fhir_bridge.store.records import COLUMNS, Stored, stored
from fhir_bridge.store.session import Session

__all__ = ["referring", "referring_numbers"]


def referring_numbers(registry: Registry, numbers: Mapping[str, int], target: str) -> list[int]:
    """Numbers of the indexes that hold references to resources of the type `target`."""
    found = {
        numbers[symbol]
        for resource_type in registry.definitions.resource_types
        for code, parameter in registry.parameters(resource_type).items()
        if parameter.type == "reference" and (not parameter.targets or target in parameter.targets)
        for symbol in registry.indexes(resource_type, code)
        if registry.holds(symbol, target)
    }
    return sorted(found)


def referring(
    session: Session,
    indexes: Iterable[int],
    types: dict[int, str],
    reference: str,
    limit: int,
) -> list[Stored]:
    """At most `limit` current versions that refer to `reference` (``Type/id``), oldest first."""
    where, parameters = session.among("p.hash", [posting(each, reference) for each in indexes])
    rows = session.all(
        f"SELECT {COLUMNS} FROM resource r WHERE r.row_id IN (SELECT p.row_id FROM posting p"
        f" WHERE {where}) AND NOT EXISTS (SELECT 1 FROM superseded s WHERE s.row_id = r.row_id)"
        " ORDER BY r.row_id LIMIT ?",
        [*parameters, limit],
    )
    return [stored(row, types) for row in rows]

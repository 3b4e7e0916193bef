"""Who refers to a resource: its current referrers, by one look at the index.

Every reference search parameter that may lead to the type is asked at once; an element that
no parameter reads cannot be found so (https://hl7.org/fhir/R4/searchparameter-registry.html).
"""
# ruff: noqa: S608 (SQL is put together from fixed text; every value is a parameter)

from __future__ import annotations

from collections.abc import Iterator, Mapping

from fhir_bridge.database import Session
from fhir_bridge.search import Registry
from fhir_bridge.search.hashing import posting
from fhir_bridge.store.records import COLUMNS, Stored, stored

__all__ = ["Referrers"]


class Referrers:
    """Who refers to a resource; one per store."""

    def __init__(
        self, registry: Registry, numbers: Mapping[str, int], types: dict[int, str]
    ) -> None:
        self._registry, self._numbers, self._types = registry, numbers, types
        self._indexes: dict[str, list[int]] = {}

    def find(self, session: Session, resource_type: str, id_: str, limit: int) -> list[Stored]:
        """At most `limit` current versions that refer to ``resource_type/id_``, oldest first."""
        reference = f"{resource_type}/{id_}"
        hashes = [posting(each, reference) for each in self.indexes(resource_type)]
        where, parameters = session.among("p.hash", hashes)
        rows = session.all(
            f"SELECT {COLUMNS} FROM resource r WHERE r.row_id IN (SELECT p.row_id FROM posting p"
            f" WHERE {where}) AND NOT EXISTS (SELECT 1 FROM superseded s WHERE s.row_id = r.row_id)"
            " ORDER BY r.row_id LIMIT ?",
            [*parameters, limit],
        )
        return [stored(row, self._types) for row in rows]

    def indexes(self, target: str) -> list[int]:
        """Numbers of the indexes that hold references to resources of the type `target`."""
        if target not in self._indexes:
            self._indexes[target] = sorted(set(self._numbers_of(target)))
        return self._indexes[target]

    def _numbers_of(self, target: str) -> Iterator[int]:
        for resource_type in self._registry.definitions.resource_types:
            parameters = self._registry.parameters(resource_type)
            for code in self._registry.reference_codes(resource_type):
                if target not in (parameters[code].targets or (target,)):
                    continue
                for index in self._registry.indexes_of(resource_type, code):
                    if index.may_hold(target):
                        yield self._numbers[index.symbol]

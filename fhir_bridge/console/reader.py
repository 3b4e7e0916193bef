"""Reads the record for a page: by reference and by search, always within an access."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fhir_bridge.access import Access
from fhir_bridge.fhir import Resource, parse_json, parse_reference
from fhir_bridge.search import Registry, parse_search, plan
from fhir_bridge.store import Page, Store

__all__ = ["Reader"]

Pairs = Sequence[tuple[str, str]]


class Reader:
    """What one page may read.  Resources that were read are kept for the life of the page."""

    def __init__(self, store: Store, registry: Registry, access: Access) -> None:
        self._store, self._registry, self._access = store, registry, access
        self._read: dict[str, Resource | None] = {}

    @property
    def sees_everything(self) -> bool:
        """Whether nothing of the record is hidden from the reader."""
        return self._access.is_everything

    def resource(self, resource_type: str, resource_id: str) -> Resource | None:
        """The present version; None where there is none to be seen."""
        key = f"{resource_type}/{resource_id}"
        if key not in self._read:
            stored = self._store.read(resource_type, resource_id, self._access)
            seen = stored is not None and not stored.deleted
            self._read[key] = parse_json(stored.body) if stored is not None and seen else None
        return self._read[key]

    def target(self, reference: dict[str, Any] | None) -> Resource | None:
        """What a Reference of the record points to."""
        parsed = parse_reference(str((reference or {}).get("reference", "")))
        if parsed is None or parsed.base or not parsed.id:
            return None
        return self.resource(parsed.resource_type, parsed.id)

    def page(self, resource_type: str, pairs: Pairs, cursor: str = "") -> Page:
        """One page of a search as the store answers it."""
        search = parse_search(resource_type, pairs, self._registry)
        return self._store.find(plan(search, self._registry), self._access, cursor=cursor)

    def find(self, resource_type: str, *pairs: tuple[str, str], most: int = 50) -> list[Resource]:
        """The first `most` resources of a search."""
        page = self.page(resource_type, [*pairs, ("_count", str(most))])
        return [parse_json(match.body) for match in page.matches]

    def count(self, resource_type: str, *pairs: tuple[str, str]) -> int:
        """How many resources a search finds."""
        page = self.page(resource_type, [*pairs, ("_summary", "count")])
        return page.total or 0

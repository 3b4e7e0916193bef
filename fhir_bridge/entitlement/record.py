"""Looks things up in the record for rights: with no limit, since this is what limits are made from."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from fhir_bridge.access import Access, Query
from fhir_bridge.fhir import Resource, parse_json, parse_reference
from fhir_bridge.search import interval, parse_search, plan
from fhir_bridge.store import Store

__all__ = ["Look", "reference_id", "within"]

_MAX_MATCHES = 200


@dataclass(frozen=True, slots=True)
class Look:
    """The record on a day (`day` in the zone of the record)."""

    store: Store
    day: date
    _days: tuple[int, int] = field(init=False)

    def __post_init__(self) -> None:
        zone = self.store.registry.zone
        object.__setattr__(self, "_days", interval(self.day.isoformat(), zone) or (0, 0))

    def find(self, resource_type: str, query: Query) -> list[Resource]:
        """The first resources that a search finds."""
        pairs = [*query, ("_count", str(_MAX_MATCHES))]
        search = parse_search(resource_type, pairs, self.store.registry)
        page = self.store.find(plan(search, self.store.registry), Access.everything())
        return [parse_json(each.body) for each in page.matches]

    def read(self, resource_type: str, id_: str) -> Resource | None:
        """The present version; None where there is none."""
        found = self.store.read(resource_type, id_)
        return parse_json(found.body) if found is not None and not found.deleted else None

    def is_in(self, period: Resource | None) -> bool:
        """Whether the day lies inside a Period; one that is not given has no ends."""
        return within(period, self._days, self.store)


def within(period: Resource | None, days: tuple[int, int], store: Store) -> bool:
    """Whether a Period and the ticks of a day have a moment in common."""
    zone = store.registry.zone
    start = interval(str((period or {}).get("start", "")), zone)
    end = interval(str((period or {}).get("end", "")), zone)
    return not (start and start[0] > days[1]) and not (end and end[1] < days[0])


def reference_id(holder: Resource | None, resource_type: str) -> str:
    """The id that a Reference of the record names, of this type; "" elsewhere."""
    found = parse_reference(str((holder or {}).get("reference", "")))
    is_own = found is not None and not found.base and found.resource_type == resource_type
    return found.id if found is not None and is_own else ""

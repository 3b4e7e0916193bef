"""The rights of one caller as a search asks them: for a type, what a visible resource satisfies.

Searches within the rights (those of a scope such as ``patient/Observation.rs?category=laboratory``)
are compiled by the search engine itself, once for each registry.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from fhir_bridge.access import Access, Compartment, Limit, Query, Rule
from fhir_bridge.errors import BridgeError
from fhir_bridge.search import Registry, conditions, parse_search

__all__ = ["Rights"]


@dataclass(frozen=True, slots=True)
class Rights:
    """`access` for one `interaction` (a letter of ``cruds``); `compartment` says what is of whom."""

    access: Access
    interaction: str
    registry: Registry
    compartment: Compartment

    def of(self, resource_type: str) -> tuple[Limit, ...] | None:
        """The alternatives that make a resource visible (none: nothing does); None: no limit."""
        found = self.access.limits(resource_type, self.interaction)
        return None if found and found[0].is_none else found

    def rules(self, resource_type: str) -> tuple[Rule, ...]:
        """How a resource of the type is of a patient beyond the compartment, by parameters known here."""
        found = self.compartment.rules.get(resource_type, ())
        return tuple(each for each in found if self._has_parameter(each))

    def _has_parameter(self, rule: Rule) -> bool:
        own = rule.resource_type, rule.by or rule.through
        named, code = rule.referrer if rule.referrer[0] else own
        return code in self.registry.parameters(named)

    def condition(self, resource_type: str, query: Query) -> conditions.Condition:
        """A search within the rights; one that the type cannot satisfy finds nothing."""
        return _compiled(self.registry, resource_type, query)


@lru_cache(maxsize=4096)
def _compiled(registry: Registry, resource_type: str, query: Query) -> conditions.Condition:
    try:
        return parse_search(resource_type, query, registry).types[0][1]
    except BridgeError:
        return conditions.nothing()

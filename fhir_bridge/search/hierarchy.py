"""Which codes of a code system lie below or above another, for ``:below`` and ``:above``.

https://hl7.org/fhir/R4/search.html#modifiers and
https://hl7.org/fhir/R4/codesystem.html#hierarchy.  Only complete code systems whose hierarchy
means subsumption answer; of others nothing is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from fhir_bridge.conformance import concepts_of
from fhir_bridge.fhir import Resource

__all__ = ["Hierarchies"]

Codes = frozenset[tuple[str, str]]
"""(system, code) of each."""


class Hierarchies:
    """The hierarchies of CodeSystem resources, by URL; read when first asked for."""

    def __init__(self, code_systems: Mapping[str, Resource]) -> None:
        self._code_systems = code_systems

    @cached_property
    def systems(self) -> tuple[str, ...]:
        """The URLs of the code systems with a hierarchy."""
        return tuple(sorted(self._ancestors))

    def __bool__(self) -> bool:
        """Whether any hierarchy is known."""
        return bool(self._ancestors)

    def below(self, system: str | None, code: str) -> Codes | None:
        """The code and all that it subsumes; None when no hierarchy holds it.

        `system` None asks every hierarchy that holds the code.
        """
        found = {
            (url, each)
            for url in self._holding(system, code)
            for each, above in self._ancestors[url].items()
            if each == code or code in above
        }
        return frozenset(found) or None

    def above(self, system: str | None, code: str) -> Codes | None:
        """The code and all that subsume it; None when no hierarchy holds it."""
        found = {
            (url, each)
            for url in self._holding(system, code)
            for each in (code, *self._ancestors[url][code])
        }
        return frozenset(found) or None

    def _holding(self, system: str | None, code: str) -> list[str]:
        asked = self.systems if system is None else (system,)
        return [url for url in asked if code in self._ancestors.get(url, ())]

    @cached_property
    def _ancestors(self) -> dict[str, dict[str, frozenset[str]]]:
        found: dict[str, dict[str, frozenset[str]]] = {}
        for url, code_system in self._code_systems.items():
            if code_system.get("hierarchyMeaning", "is-a") != "is-a":
                continue
            if code_system.get("content", "complete") != "complete":
                continue
            above: dict[str, frozenset[str]] = {}
            for concept, path in concepts_of(code_system):
                code = str(concept.get("code", ""))
                above[code] = above.get(code, frozenset()).union(path)
            if any(above.values()):
                found[url] = above
        return found

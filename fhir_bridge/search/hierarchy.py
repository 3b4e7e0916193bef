"""Which codes of a code system lie below or above another, for ``:below`` and ``:above``.

https://hl7.org/fhir/R4/search.html#modifiers and
https://hl7.org/fhir/R4/codesystem.html#hierarchy.  Only complete code systems whose hierarchy
means subsumption answer; of others nothing can be said.
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
    """The hierarchies of CodeSystem resources, by URL; read at the first use."""

    def __init__(self, code_systems: Mapping[str, Resource] | None = None) -> None:
        self._code_systems = code_systems or {}

    @cached_property
    def systems(self) -> tuple[str, ...]:
        """The URLs of the code systems with a hierarchy."""
        return tuple(sorted(self._ancestors))

    def __bool__(self) -> bool:
        """Whether there is any hierarchy."""
        return bool(self._ancestors)

    def below(self, system: str | None, code: str) -> Codes | None:
        """The code and all that it subsumes; None when no hierarchy has it.

        `system` None means every hierarchy that has the code.
        """
        codes = {
            (url, each)
            for url in self._with_code(system, code)
            for each, above in self._ancestors[url].items()
            if each == code or code in above
        }
        return frozenset(codes) or None

    def above(self, system: str | None, code: str) -> Codes | None:
        """The code and all that subsume it; None when no hierarchy has it."""
        codes = {
            (url, each)
            for url in self._with_code(system, code)
            for each in (code, *self._ancestors[url][code])
        }
        return frozenset(codes) or None

    def _with_code(self, system: str | None, code: str) -> list[str]:
        systems = self.systems if system is None else (system,)
        return [url for url in systems if code in self._ancestors.get(url, ())]

    @cached_property
    def _ancestors(self) -> dict[str, dict[str, frozenset[str]]]:
        ancestors: dict[str, dict[str, frozenset[str]]] = {}
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
                ancestors[url] = above
        return ancestors

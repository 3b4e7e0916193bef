"""What identifiers are called: national and local names are data (``mappings/identifier-names.toml``)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any

from fhir_bridge.artifacts import Artifacts
from fhir_bridge.console.text.display import codes_of, first

__all__ = ["IdentifierNames"]

Names = Mapping[str, Mapping[str, str]]


class IdentifierNames:
    """Names of identifiers by system and by type."""

    def __init__(self, systems: Names, types: Names) -> None:
        self._systems, self._types = systems, types

    @classmethod
    def from_artifacts(cls, artifacts: Artifacts) -> IdentifierNames:
        """The names of the product or of the site's overlay."""
        path = artifacts.find("mappings/identifier-names.toml")
        data = tomllib.loads(path.read_text(encoding="utf-8")) if path else {}
        return cls(data.get("systems", {}), data.get("types", {}))

    def name(self, identifier: Mapping[str, Any], language: str) -> str:
        """What `identifier` is: as its sender says, by its system, by its type, else the system."""
        written = first(identifier, "type", "text")
        if written:
            return str(written)
        system = str(identifier.get("system", ""))
        types = [
            self._types[code] for code in codes_of(identifier.get("type")) if code in self._types
        ]
        for names in (
            self._systems.get(system),
            self._systems.get(system.rpartition("/")[2]),
            *types,
        ):
            if names:
                return names.get(language[:2]) or names.get("en", "")
        return str(first(identifier, "assigner", "display") or system)

"""Maps by URL, with the types and concept maps they use, before any is compiled.

https://hl7.org/fhir/R4/structuremap.html#imports
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any

from fhir_bridge.conformance import CodeSystems
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import Definitions, definitions
from fhir_bridge.fml import StructureMap, from_structure_map_resource, parse_map
from fhir_bridge.shapes import Shapes, logical_shapes
from fhir_bridge.terminology import ConceptMaps
from fhir_bridge.transform.runtime.normalise import Normaliser

__all__ = ["MapSet"]


class MapSet:
    """Maps by URL, and what lies in reach of each.

    `maps` are texts, `StructureMap` values or StructureMap resources; `logical_models`
    StructureDefinition resources of kind logical.  A set that is not strict compiles
    maps with faults, and reports a fault as an issue when its rule fires.
    """

    def __init__(
        self,
        facts: Definitions | None = None,
        maps: Iterable[str | StructureMap | Mapping[str, Any]] = (),
        concept_maps: Iterable[Mapping[str, Any]] = (),
        *,
        logical_models: Iterable[Mapping[str, Any]] = (),
        is_strict: bool = True,
    ) -> None:
        self.is_strict = is_strict
        self.shapes = Shapes(facts or definitions(), logical_shapes(logical_models))
        self.normaliser = Normaliser(self.shapes)
        self.concept_maps = ConceptMaps(concept_maps)
        self.code_systems = CodeSystems()
        self._maps: dict[str, StructureMap] = {}
        self._digests: dict[tuple[str, tuple[str, ...]], str] = {}
        for structure_map in maps:
            self.add(structure_map)

    @property
    def maps(self) -> Mapping[str, StructureMap]:
        """The maps by URL."""
        return self._maps

    def add(
        self, source: str | StructureMap | Mapping[str, Any], *, name: str = ""
    ) -> StructureMap:
        """Take a map in; an earlier one of the same URL is replaced."""
        if isinstance(source, str):
            structure_map = parse_map(source, name=name)
        elif isinstance(source, StructureMap):
            structure_map = source
        else:
            structure_map = from_structure_map_resource(source)
        self._maps[structure_map.url or structure_map.name] = structure_map
        self._digests.clear()
        return structure_map

    def digest(self, map_url: str, hooks: Sequence[str] = ()) -> str:
        """A name for the texts of a map and all it reaches, comments and layout left out.

        "" for a map that is not there.
        """
        key = (map_url, tuple(hooks))
        found = self._digests.get(key)
        if found is None:
            structure_map = self._maps.get(map_url)
            reached = self.imported(structure_map, hooks) if structure_map is not None else []
            text = "\n".join(repr(one) for one in reached)
            found = sha256(text.encode()).hexdigest()[:16] if reached else ""
            self._digests[key] = found
        return found

    def imported(
        self, structure_map: StructureMap, hooks: Sequence[str] = ()
    ) -> list[StructureMap]:
        """The maps in reach of `structure_map`: itself, then its imports and theirs.

        `hooks` are URLs of maps that are in reach without being imported, with their imports.
        Raises BridgeError FB-2104 where there is no such map.
        """
        reached = [structure_map]
        seen = {id(structure_map)}
        self._import_all(reached, seen, 0)
        for url in hooks:
            start = len(reached)
            if id(hook := self.structure_map(url)) not in seen:
                seen.add(id(hook))
                reached.append(hook)
            self._import_all(reached, seen, start)
        return reached

    def _import_all(self, reached: list[StructureMap], seen: set[int], start: int) -> None:
        """Add what the maps from `start` on import, and what that imports."""
        for current in itertools.islice(reached, start, None):
            for pattern in current.imports:
                for candidate in self._matching(pattern):
                    if id(candidate) not in seen:
                        seen.add(id(candidate))
                        reached.append(candidate)

    def structure_map(self, url: str) -> StructureMap:
        """The map of that URL; raises BridgeError FB-2104 where there is none."""
        found = self._maps.get(url)
        if found is None:
            raise BridgeError("FB-2104", url=url)
        return found

    def _matching(self, pattern: str) -> list[StructureMap]:
        if "*" not in pattern:
            found = self._maps.get(pattern)
            return [found] if found is not None else []
        expression = re.compile(".*".join(re.escape(part) for part in pattern.split("*")) + r"\Z")
        return [one for url, one in self._maps.items() if expression.match(url)]

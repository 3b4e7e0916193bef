"""A set of maps, compiled once and run often.

https://hl7.org/fhir/R4/structuremap.html

Promises: a compiled map is immutable and may be shared by threads; what a run finds out is
in its `Transformed`.  A map that cannot be compiled raises one BridgeError with the place;
a failed check or cast raises BridgeError for that input only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fhir_bridge.artifacts import Artifacts
from fhir_bridge.conformance import CodeSystems
from fhir_bridge.fhir import Definitions, parse_json
from fhir_bridge.fml import StructureMap
from fhir_bridge.transform.compiled_map import CompiledMap
from fhir_bridge.transform.map_set import MapSet

__all__ = ["Library", "load"]


class Library(MapSet):
    """A set of maps (`MapSet`) that compiles each on first use."""

    def __init__(
        self,
        facts: Definitions | None = None,
        maps: Iterable[str | StructureMap | Mapping[str, Any]] = (),
        concept_maps: Iterable[Mapping[str, Any]] = (),
        *,
        logical_models: Iterable[Mapping[str, Any]] = (),
        is_strict: bool = True,
    ) -> None:
        self._compiled: dict[tuple[str, tuple[str, ...]], CompiledMap] = {}
        super().__init__(
            facts, maps, concept_maps, logical_models=logical_models, is_strict=is_strict
        )

    @classmethod
    def from_artifacts(cls, artifacts: Artifacts) -> Library:
        """The maps of ``mappings/**/*.map`` and the ConceptMaps of ``mappings/conceptmaps``."""
        library = cls(
            None,
            (),
            [
                parse_json(path.read_bytes())
                for _, path in artifacts.walk("mappings/conceptmaps", ".json")
            ],
        )
        library.code_systems = CodeSystems(artifacts)
        for name, path in artifacts.walk("mappings", ".map"):
            library.add(path.read_text(encoding="utf-8"), name=name)
        return library

    def add(
        self, source: str | StructureMap | Mapping[str, Any], *, name: str = ""
    ) -> StructureMap:
        """Take a map in; what was compiled before is compiled anew."""
        structure_map = super().add(source, name=name)
        self._compiled.clear()
        return structure_map

    def compile(self, map_url: str, hooks: Sequence[str] = ()) -> CompiledMap:
        """The compiled map, made on first use, with the maps `hooks` in its reach.

        Raises BridgeError FB-2104, FB-21xx, FB-20xx.
        """
        key = (map_url, tuple(hooks))
        found = self._compiled.get(key)
        if found is None:
            structure_map = self.structure_map(map_url)
            found = self._compiled[key] = CompiledMap(self, structure_map, hooks)
        return found


def load(map_text: str, *, library: Library | None = None) -> CompiledMap:
    """The map in `map_text`, compiled, with the maps of `library` in reach of its imports."""
    home = library or Library()
    structure_map = home.add(map_text)
    return home.compile(structure_map.url or structure_map.name)

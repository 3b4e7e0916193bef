"""What the compilation of one map shares: shapes, concept maps, aliases, groups in reach."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fhir_bridge.fml import Group, StructureMap
from fhir_bridge.shapes import Shape, Shapes
from fhir_bridge.terminology import ConceptMaps

if TYPE_CHECKING:
    from fhir_bridge.transform.compile.scope import Scope
    from fhir_bridge.transform.runtime.run import RuleLocation, Run

__all__ = ["CompilationUnit", "CompiledGroup", "RuleView"]

_OTHER_RELEASE = re.compile(r"//hl7\.org/fhir/(?:DSTU2|STU3|R4B|R5|R6|[1-9]\.[0-9])/")


@dataclass(slots=True, eq=False)
class CompiledGroup:
    """A group that can run: its rules are filled in after every group is known."""

    group: Group
    map_url: str
    rules: list[Callable[[Run, list[Any]], None]] = field(default_factory=list)
    frame_size: int = 0
    size: int = 1
    source_types: list[Shape | None] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class CompilationUnit:
    """One map being compiled.  `resolve_group` finds a group by name in the maps in reach.

    Not strict: what a rule gets wrong is reported when the rule fires, not raised when it is
    compiled.
    """

    structure_map: StructureMap
    shapes: Shapes
    concept_maps: ConceptMaps
    aliases: dict[str, str]
    resolve_group: Callable[[str], CompiledGroup | None]
    group_for_types: Callable[[str, str], CompiledGroup | None]
    resource_for: Callable[[str], str] = str
    external_names: set[str] = field(default_factory=set)
    is_strict: bool = True
    identity_places: dict[Shape, Any] = field(default_factory=dict)

    @property
    def sources_are_r4(self) -> bool:
        """Whether the R4 definitions speak truly of the source (a map from STU3 reads STU3)."""
        return not any(
            _OTHER_RELEASE.search(use.url) and "/4.0/" not in use.url
            for use in self.structure_map.uses
            if use.mode == "source"
        )

    def type_url(self, name: str) -> str:
        """A type as written in the map (alias or name) as URL or name."""
        return self.aliases.get(name, name)

    def shape(self, name: str) -> Shape | None:
        """The shape of a type as written in the map; None for no type."""
        return self.shapes.resolve(self.type_url(name)) if name else None


@dataclass(frozen=True, slots=True)
class RuleView:
    """What the parts of one rule are compiled with; `here` is the slot of its first source."""

    scope: Scope
    unit: CompilationUnit
    location: RuleLocation
    here: int = -1

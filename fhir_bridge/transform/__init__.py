"""The FHIR Mapping Language, complete and compiled: source trees to FHIR R4.

https://hl7.org/fhir/R5/mapping-language.html

Read in this order: `structure_map` (the parts of a map), `parse` and `render` (text),
`resource` (StructureMap JSON), `library` (sets of maps), `compiled_map`, `compile_rule`,
`compile_source`, `compile_target`, `compile_transform` (rules to functions), `source` and
`target` (the two trees), `finish` (order and pruning), `functions/` (named functions),
`check` and `coverage` (the quality of a map).
"""

from fhir_bridge.transform.check import check_map
from fhir_bridge.transform.compiled_map import CompiledMap, Transformed
from fhir_bridge.transform.coverage import Coverage, measure_coverage
from fhir_bridge.transform.library import Library, load
from fhir_bridge.transform.parse import parse_map
from fhir_bridge.transform.render import render_map
from fhir_bridge.transform.resource import (
    from_structure_map_resource,
    to_structure_map_resource,
)
from fhir_bridge.transform.run import LineageStep
from fhir_bridge.transform.structure_map import StructureMap

__all__ = [
    "CompiledMap",
    "Coverage",
    "Library",
    "LineageStep",
    "StructureMap",
    "Transformed",
    "check_map",
    "from_structure_map_resource",
    "load",
    "measure_coverage",
    "parse_map",
    "render_map",
    "to_structure_map_resource",
]

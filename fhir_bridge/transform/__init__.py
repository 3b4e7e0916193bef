"""Structure maps, compiled and run: source trees to FHIR R4.

https://hl7.org/fhir/R4/mapping-language.html (the language itself is `fhir_bridge.fml`)

Read in this order: `library` (sets of maps), `compiled_map`, `compile_rule`,
`compile_source`, `compile_target`, `compile_transform` (rules to functions), `source` and
`target` (the two trees), `finish` (order and pruning), `functions/` (named functions),
`check` and `coverage` (the quality of a map).
"""

from fhir_bridge.transform.check import check_map
from fhir_bridge.transform.compiled_map import CompiledMap, Transformed
from fhir_bridge.transform.coverage import Coverage, measure_coverage
from fhir_bridge.transform.library import Library, load
from fhir_bridge.transform.run import LineageStep

__all__ = [
    "CompiledMap",
    "Coverage",
    "Library",
    "LineageStep",
    "Transformed",
    "check_map",
    "load",
    "measure_coverage",
]

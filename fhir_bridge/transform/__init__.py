"""Structure maps, compiled and run: source trees to FHIR R4.

https://hl7.org/fhir/R4/mapping-language.html (the language itself is `fhir_bridge.fml`)

Read in this order: `runtime` (what runs; the types of both sides are `fhir_bridge.shapes`),
`compile` (maps to functions), `generate` (maps to Python, once they run often), `map_set`,
`compiled_map` and `library` (sets of maps), `check` (the quality of a map).
"""

from fhir_bridge.transform.check import Coverage, check_map, measure_coverage
from fhir_bridge.transform.compiled_map import CompiledMap, Transformed
from fhir_bridge.transform.library import Library, load
from fhir_bridge.transform.runtime.run import LineageStep

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

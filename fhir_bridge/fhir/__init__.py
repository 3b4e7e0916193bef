"""FHIR R4 as a language: JSON and XML to values and back, and the facts of its types.

Read in this order: `json_format` (text <-> plain values), `definitions` (types, elements,
search parameters, compartments, codes).
"""

from fhir_bridge.fhir.definitions import (
    Constraint,
    Definitions,
    ElementDefinition,
    TypeDefinition,
    definitions,
)
from fhir_bridge.fhir.json_format import (
    Resource,
    parse_json,
    parse_json_lines,
    parse_json_value,
    render_json,
    written_decimal,
)
from fhir_bridge.fhir.search_parameters import SearchParameter, expression_part

__all__ = [
    "Constraint",
    "Definitions",
    "ElementDefinition",
    "Resource",
    "SearchParameter",
    "TypeDefinition",
    "definitions",
    "expression_part",
    "parse_json",
    "parse_json_lines",
    "parse_json_value",
    "render_json",
    "written_decimal",
]

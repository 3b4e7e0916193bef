"""FHIR R4 as a language: JSON and XML to values and back, and the facts of its types.

Read in this order: `json_format` (text <-> plain values), `definitions` and
`search_parameters` (what R4 says of each type), `references`, `operation_outcome` (issues
rendered), `bundle` (envelopes), `xml_rendering` and `xml_parsing` (the second form), `models`
(a second opinion by fhir.resources, imported only when asked).
"""

from fhir_bridge.fhir import bundle, models
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
    read_back,
    render_json,
    written_decimal,
)
from fhir_bridge.fhir.operation_outcome import ERROR_CODE_SYSTEM, operation_outcome
from fhir_bridge.fhir.references import Reference, parse_reference, walk_references
from fhir_bridge.fhir.search_parameters import SearchParameter, expression_part
from fhir_bridge.fhir.xml_parsing import parse_xml
from fhir_bridge.fhir.xml_rendering import render_xml

__all__ = [
    "ERROR_CODE_SYSTEM",
    "Constraint",
    "Definitions",
    "ElementDefinition",
    "Reference",
    "Resource",
    "SearchParameter",
    "TypeDefinition",
    "bundle",
    "definitions",
    "expression_part",
    "models",
    "operation_outcome",
    "parse_json",
    "parse_json_lines",
    "parse_json_value",
    "parse_reference",
    "parse_xml",
    "read_back",
    "render_json",
    "render_xml",
    "walk_references",
    "written_decimal",
]

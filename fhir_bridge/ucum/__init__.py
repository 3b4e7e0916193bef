"""Units of measure by the Unified Code for Units of Measure (https://ucum.org/ucum).

`table` (the units as data), `grammar` (text to terms), `conversion` (canonical form,
conversion, product, quotient), `combining` (units of products as they were written) and
`display` (names for people).  Units are case sensitive.

This package includes a portion of the UCUM table, copyright 1999-2024 Regenstrief
Institute, Inc. and the UCUM Organization; see https://ucum.org/license.
"""

from fhir_bridge.ucum.combining import combined_unit
from fhir_bridge.ucum.conversion import (
    canonical,
    canonical_unit,
    comparable,
    convert,
    divide,
    is_special,
    is_valid,
    multiply,
)
from fhir_bridge.ucum.display import display
from fhir_bridge.ucum.grammar import parse

__all__ = [
    "canonical",
    "canonical_unit",
    "combined_unit",
    "comparable",
    "convert",
    "display",
    "divide",
    "is_special",
    "is_valid",
    "multiply",
    "parse",
]

"""Search by type: each file owns both sides of one type, index rows and searched values.

https://hl7.org/fhir/R4/search.html#ptypes.  Read `search_type` first (what a type can do, and the
values that it works on), then any type; `search_type_of` alone says which parameter has which.
"""

from fhir_bridge.search.types.by_name import (
    COMPOSITE,
    DATE,
    NARRATIVE,
    REFERENCE,
    STRING,
    TOKEN,
    URI,
    search_type_of,
)
from fhir_bridge.search.types.composite import extract_elements
from fhir_bridge.search.types.interval import interval
from fhir_bridge.search.types.reference import target_type
from fhir_bridge.search.types.search_type import (
    Composition,
    Index,
    Parameter,
    SearchSettings,
    SearchType,
    Slot,
    Typed,
    ValueSetCodes,
)
from fhir_bridge.search.types.string import is_name

__all__ = [
    "COMPOSITE",
    "DATE",
    "NARRATIVE",
    "REFERENCE",
    "STRING",
    "TOKEN",
    "URI",
    "Composition",
    "Index",
    "Parameter",
    "SearchSettings",
    "SearchType",
    "Slot",
    "Typed",
    "ValueSetCodes",
    "extract_elements",
    "interval",
    "is_name",
    "search_type_of",
    "target_type",
]

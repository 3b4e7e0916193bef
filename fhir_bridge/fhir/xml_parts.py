"""What XML rendering and parsing need to know of the properties of a type.

https://hl7.org/fhir/R4/xml.html
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from fhir_bridge.fhir.definitions import ElementDefinition, definitions

__all__ = ["FHIR_NAMESPACE", "XHTML_NAMESPACE", "Part", "parts_of"]

FHIR_NAMESPACE = "http://hl7.org/fhir"
XHTML_NAMESPACE = "http://www.w3.org/1999/xhtml"


class Part(NamedTuple):
    """One JSON property: `kind` is primitive, complex, resource or xhtml."""

    key: str
    kind: str
    type: str
    is_list: bool
    is_attribute: bool


@cache
def parts_of(type_name: str) -> dict[str, Part]:
    """The properties of a type by JSON key, in the order in which XML has them."""
    elements = definitions().types[type_name].elements
    return {key: _part(element) for key, element in elements.items()}


def _part(element: ElementDefinition) -> Part:
    facts = definitions()
    if element.type == "xhtml":
        kind = "xhtml"
    elif element.type in facts.primitive_types:
        kind = "primitive"
    elif facts.types[element.type].kind == "resource":
        kind = "resource"
    else:
        kind = "complex"
    return Part(element.key, kind, element.type, element.is_list, element.is_attribute)

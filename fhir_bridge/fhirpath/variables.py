"""Environment variables: ``%resource``, ``%ucum``, ``%vs-…`` and those a caller gives.

http://hl7.org/fhirpath/N1/#environment-variables, https://hl7.org/fhir/R4/fhirpath.html#variables
"""

from __future__ import annotations

from typing import Any

from fhir_bridge.errors import BridgeError
from fhir_bridge.fhirpath.evaluation import Context
from fhir_bridge.fhirpath_values import Node, wrap

__all__ = ["FIXED", "RESERVED", "Items", "variable"]

FIXED = {
    "ucum": "http://unitsofmeasure.org",
    "sct": "http://snomed.info/sct",
    "loinc": "http://loinc.org",
}
RESERVED = frozenset({"context", "resource", "rootResource", "factory", "terminologies", *FIXED})
_PREFIXED = {
    "vs-": "http://hl7.org/fhir/ValueSet/",
    "ext-": "http://hl7.org/fhir/StructureDefinition/",
}


class Items(list[Any]):
    """A collection that is made of items already."""


def variable(name: str, context: Context) -> list[Any]:
    """The value of ``%name``; FB-2007 when nobody defined it."""
    if name in FIXED:
        return [FIXED[name]]
    given = context.variables
    if name in given:
        value = given[name]
        return value if type(value) is Items else wrap(value)
    if name == "context":
        return context.root
    if name == "resource":
        return context.resource
    if name == "rootResource":
        return context.root_resource
    if name in ("factory", "terminologies"):
        return [Node(None, f"%{name}")]
    for prefix, base in _PREFIXED.items():
        if name.startswith(prefix):
            return [base + name[len(prefix) :]]
    raise BridgeError("FB-2007", name=name, reason="not defined")

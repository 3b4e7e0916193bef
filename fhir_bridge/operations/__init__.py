"""FHIR operations, one file each, found and not listed.

https://hl7.org/fhir/R4/operations.html: `operation` says what an operation is, `registry` finds them; every other
module holds one or a few that belong together.
"""

from fhir_bridge.operations.operation import (
    Answer,
    Call,
    Level,
    Operation,
    Parameter,
)
from fhir_bridge.operations.registry import operations

__all__ = ["Answer", "Call", "Level", "Operation", "Parameter", "operations"]

"""What FHIRPath works on: items of trees and System values, their types and equality.

http://hl7.org/fhirpath/N1/#literals, https://hl7.org/fhir/R4/fhirpath.html#types

`node` with `model` and `types` (trees and what the definitions say of them), `temporal` with
`temporal_arithmetic` and `date_formats`, `quantity` with `fhir_quantity`, `equality`.
"""

from fhir_bridge.fhirpath_values.date_formats import read_date
from fhir_bridge.fhirpath_values.equality import (
    distinct,
    equal,
    equal_items,
    equivalent,
    key_of,
    temporal_pair,
)
from fhir_bridge.fhirpath_values.failure import fail
from fhir_bridge.fhirpath_values.fhir_quantity import is_quantity, order_as_written
from fhir_bridge.fhirpath_values.model import PRIMITIVES, SYSTEM_OF, Member, Model, model_of
from fhir_bridge.fhirpath_values.node import Node, children, plain_of, step, value_of, wrap
from fhir_bridge.fhirpath_values.quantity import CALENDAR_UNITS, Quantity
from fhir_bridge.fhirpath_values.temporal import (
    DAY,
    SECOND,
    Long,
    Temporal,
    clock_span,
    compare,
    parse_temporal,
)
from fhir_bridge.fhirpath_values.temporal_arithmetic import add, boundary, digits_of
from fhir_bridge.fhirpath_values.types import fhir_name, is_type, of_type, type_info

__all__ = [
    "CALENDAR_UNITS",
    "DAY",
    "PRIMITIVES",
    "SECOND",
    "SYSTEM_OF",
    "Long",
    "Member",
    "Model",
    "Node",
    "Quantity",
    "Temporal",
    "add",
    "boundary",
    "children",
    "clock_span",
    "compare",
    "digits_of",
    "distinct",
    "equal",
    "equal_items",
    "equivalent",
    "fail",
    "fhir_name",
    "is_quantity",
    "is_type",
    "key_of",
    "model_of",
    "of_type",
    "order_as_written",
    "parse_temporal",
    "plain_of",
    "read_date",
    "step",
    "temporal_pair",
    "type_info",
    "value_of",
    "wrap",
]

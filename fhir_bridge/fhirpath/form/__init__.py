"""The typed form of expressions: what they are before anything reads, writes or predicts.

Read `steps` first, then `lowering` with `paths`, `shape` and `open` (tree to form), then `printing`.
"""

from fhir_bridge.fhirpath.form.lowering import lower
from fhir_bridge.fhirpath.form.printing import listing
from fhir_bridge.fhirpath.form.steps import (
    OPEN,
    Call,
    Child,
    Constant,
    Form,
    From,
    Index,
    Item,
    Merge,
    Operation,
    RefersTo,
    Unsupported,
    Variable,
    Where,
)

__all__ = [
    "OPEN",
    "Call",
    "Child",
    "Constant",
    "Form",
    "From",
    "Index",
    "Item",
    "Merge",
    "Operation",
    "RefersTo",
    "Unsupported",
    "Variable",
    "Where",
    "listing",
    "lower",
]

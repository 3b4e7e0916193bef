"""The typed form of expressions: what they are before anything reads, writes or predicts.

Read `steps` first, then `lowering` with `paths` and `shape` (tree to form), then `printing`.
"""

from fhir_bridge.fhirpath.form.lowering import lower
from fhir_bridge.fhirpath.form.printing import listing
from fhir_bridge.fhirpath.form.steps import (
    Child,
    Constant,
    Form,
    Item,
    Merge,
    Operation,
    RefersTo,
    Unsupported,
    Where,
)

__all__ = [
    "Child",
    "Constant",
    "Form",
    "Item",
    "Merge",
    "Operation",
    "RefersTo",
    "Unsupported",
    "Where",
    "listing",
    "lower",
]

"""An expression explained: its typed steps, and the Python that is written for them."""

from __future__ import annotations

from fhir_bridge.fhirpath.expression import Expression
from fhir_bridge.fhirpath.form import listing
from fhir_bridge.fhirpath.writing import Written, write

__all__ = ["explain"]


def explain(expression: Expression, type_name: str) -> str:
    """The form of the expression on items of `type_name`, then the generated function.

    "*" explains it for nodes that are no FHIR JSON.
    """
    form = expression.form(type_name)
    written = write(form, typed=False)
    code = written.text if isinstance(written, Written) else f"interpreted: {written.reason}"
    return "\n".join([*listing(form), "", code])

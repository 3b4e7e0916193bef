"""FHIRPath 2.0 with the additions of FHIR R4, compiled.

http://hl7.org/fhirpath/N1/, https://hl7.org/fhir/R4/fhirpath.html

``compile(expression)`` once, call the result on any tree::

    >>> compile("name.where(use = 'official').family")({
    ...     "resourceType": "Patient",
    ...     "name": [{"use": "official", "family": "Chalmers"}],
    ... })
    ['Chalmers']

Read in this order: `language` (text to tree) · `compiler` with `functions` and `variables` (the
interpreter; its values are `fhir_bridge.fhirpath_values`) · `form` (tree to typed steps) and its
readers: `writing` (the fast path), `prediction` (an answer without evaluation) · `explanation`,
`checking`.
"""

from fhir_bridge.fhirpath.checking import check
from fhir_bridge.fhirpath.evaluation import Environment, Terminologies
from fhir_bridge.fhirpath.explanation import explain
from fhir_bridge.fhirpath.expression import Expression, compile  # noqa: A004
from fhir_bridge.fhirpath.functions.operators import BINARY
from fhir_bridge.fhirpath.functions.registry import FUNCTIONS
from fhir_bridge.fhirpath.language import syntax
from fhir_bridge.fhirpath.language.parser import parse
from fhir_bridge.fhirpath.prediction import UNKNOWN
from fhir_bridge.fhirpath_values import Long, Node, Quantity, Temporal, parse_temporal

__all__ = [
    "BINARY",
    "FUNCTIONS",
    "UNKNOWN",
    "Environment",
    "Expression",
    "Long",
    "Node",
    "Quantity",
    "Temporal",
    "Terminologies",
    "check",
    "compile",
    "explain",
    "parse",
    "parse_temporal",
    "syntax",
]

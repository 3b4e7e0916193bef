"""Which types of elements the expression of a search parameter leads to.

https://hl7.org/fhir/R4/searchparameter-definitions.html#SearchParameter.expression
"""

from __future__ import annotations

from fhir_bridge import fhirpath
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import Definitions
from fhir_bridge.fhirpath import syntax
from fhir_bridge.search.paths import unfiltered_paths

__all__ = ["element_type", "element_types", "leads_to_canonicals"]

_CANONICALS = frozenset({"canonical", "uri"})


def element_type(definitions: Definitions, tree: syntax.Expr) -> str | None:
    """The type of the element at a plain path such as ``Observation.component``; else None."""
    name, *steps = (syntax.type_name_of(tree) or "").split(".")
    for step in steps:
        shape = definitions.types.get(name)
        element = shape.elements.get(step) if shape else None
        if element is None:
            return None
        name = element.type
    return name or None


def element_types(definitions: Definitions, expression: str) -> frozenset[str | None]:
    """The types at a union of paths; None among them for what is no plain path."""
    try:
        tree = fhirpath.compile(expression, definitions=definitions).tree
    except BridgeError:
        return frozenset({None})
    parts = tree.parts if isinstance(tree, syntax.Union) else (tree,)
    return frozenset(element_type(definitions, part) for part in parts)


def leads_to_canonicals(definitions: Definitions, resource_type: str, expression: str) -> bool:
    """Whether an expression leads to canonical URLs, filters aside."""
    paths = unfiltered_paths(definitions, resource_type, expression) or ()
    return any(path.type in _CANONICALS for path in paths)

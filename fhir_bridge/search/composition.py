"""How each composite parameter is answered: by which other parameters, or by an index of its own.

https://hl7.org/fhir/R4/search.html#composite and
https://hl7.org/fhir/R4/searchparameter-definitions.html#SearchParameter.component
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fhir_bridge.fhir import SearchParameter
from fhir_bridge.search.types import COMPOSITE, Composition, Parameter, search_type_of

__all__ = ["composition_of"]


def composition_of(
    parameters: Mapping[str, SearchParameter],
    code: str,
    resolve: Callable[[str], Parameter],
    component: Callable[[SearchParameter | None], Parameter],
) -> Composition:
    """The composition of the composite `code`.

    `resolve` gives another parameter of the type by its code; `component` the values of a
    component (None: one whose definition is missing, taken for a token) in the composite's index.
    """
    parameter = parameters[code]
    by_url = {each.url: each for each in parameters.values()}
    definitions = [by_url.get(url) for url, _ in parameter.components]
    size = len(definitions)
    members = tuple(part.strip() for part in parameter.expression.split("|"))
    if len(members) > 1:
        codes = tuple(_same_over(parameters, parameter, member) for member in members)
        if all(codes):
            return Composition("alternatives", tuple(map(resolve, codes)), size)
    if members == (parameter.base,) and all(definitions):
        codes = tuple(each.code for each in definitions if each)
        return Composition("whole", tuple(map(resolve, codes)), size)
    return Composition("context", tuple(map(component, definitions)), size)


def _same_over(
    parameters: Mapping[str, SearchParameter], parameter: SearchParameter, member: str
) -> str:
    """The composite that says the same over one member of a union, or ""."""
    wanted = [expression for _, expression in parameter.components]
    for code, each in parameters.items():
        own = [expression for _, expression in each.components]
        is_same = each.expression == member and own == wanted
        if is_same and search_type_of(each) is COMPOSITE:
            return code
    return ""

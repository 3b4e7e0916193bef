"""The definitions of search parameters, as R4 publishes them and as a site adds them.

https://hl7.org/fhir/R4/searchparameter.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from fhir_bridge.fhir import Definitions, Resource, SearchParameter, expression_part

__all__ = ["ParameterDefinitions"]

# R4 publishes the two component expressions of this parameter in each other's place.
_CORRECTIONS = {
    "http://hl7.org/fhir/SearchParameter/DocumentReference-relationship": ("target", "code"),
}


class ParameterDefinitions:
    """The parameters of each type; one of a site replaces a published one with its code."""

    def __init__(
        self, definitions: Definitions, extra: Iterable[SearchParameter | Resource]
    ) -> None:
        self._definitions = definitions
        self._extra = {
            (each.base, each.code): each for parameter in extra for each in _values(parameter)
        }
        self._by_type: dict[str, Mapping[str, SearchParameter]] = {}

    def of(self, resource_type: str) -> Mapping[str, SearchParameter]:
        """By code, all parameters of one type ("Resource": those that every type has)."""
        parameters = self._by_type.get(resource_type)
        if parameters is None:
            parameters = self._by_type[resource_type] = self._merged(resource_type)
        return parameters

    def _merged(self, resource_type: str) -> Mapping[str, SearchParameter]:
        of_type = dict(self._definitions.search_parameters_of(resource_type))
        if resource_type == "Resource":
            of_type = {code: each for code, each in of_type.items() if each.base == "Resource"}
        for (base, code), parameter in self._extra.items():
            if base in (resource_type, "Resource", "DomainResource"):
                of_type[code] = parameter
        return {code: _corrected(parameter) for code, parameter in sorted(of_type.items())}


def _corrected(parameter: SearchParameter) -> SearchParameter:
    expressions = _CORRECTIONS.get(parameter.url)
    if not expressions:
        return parameter
    paired = zip(parameter.components, expressions, strict=True)
    return replace(
        parameter, components=tuple((url, expression) for (url, _), expression in paired)
    )


def _values(parameter: SearchParameter | Resource) -> Iterable[SearchParameter]:
    """One value for each base type of a SearchParameter resource."""
    if isinstance(parameter, SearchParameter):
        yield parameter
        return
    bases: list[str] = parameter.get("base") or []
    expression: str = parameter.get("expression") or ""
    components: list[dict[str, Any]] = parameter.get("component") or []
    for base in bases:
        yield SearchParameter(
            url=parameter.get("url", ""),
            code=parameter["code"],
            type=parameter["type"],
            expression=expression if len(bases) == 1 else expression_part(expression, base),
            targets=tuple(parameter.get("target") or ()),
            components=tuple(
                (c.get("definition", ""), c.get("expression", "")) for c in components
            ),
            base=base,
        )

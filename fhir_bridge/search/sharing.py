"""Parameters that need no index of their own: others hold the same values already.

R4 publishes parameters that are the union of others (``combo-code`` is ``code`` and
``component-code``) or say the same under another name (``phonetic`` is ``name``).  Such a
parameter is answered from the indexes of the others, so that every value is stored once.
Only published parameters answer for others, so that a site's own ones can come and go.
Where a parameter holds those references of another that point to one type (``patient`` of
``subject``), the other leaves these to it, and is answered from both.
https://hl7.org/fhir/R4/searchparameter-registry.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from fhir_bridge.fhir import Definitions, SearchParameter
from fhir_bridge.search.paths import Path, plain_paths
from fhir_bridge.search.text import is_name

__all__ = ["left_to_others", "shared_sources"]

_SHARED = frozenset({"token", "string", "reference", "quantity", "number", "uri"})
_PUBLISHED = "http://hl7.org/fhir/SearchParameter/"
_OF_ONE_TYPE = re.compile(r"\s*([\w.]+)\.where\(resolve\(\) is (\w+)\)\s*")
_Paths = Mapping[str, frozenset[Path]]


def shared_sources(
    definitions: Definitions, resource_type: str, parameters: Mapping[str, SearchParameter]
) -> dict[str, tuple[str, ...]]:
    """The codes whose indexes together answer a parameter, for those without an own one.

    >>> from fhir_bridge.fhir import definitions
    >>> of_type = definitions().search_parameters_of("Observation")
    >>> shared_sources(definitions(), "Observation", of_type)["combo-code"]
    ('code', 'component-code')
    """
    found: dict[str, tuple[str, ...]] = {}
    paths = {
        code: frozenset(plain_paths(definitions, resource_type, parameter.expression) or ())
        for code, parameter in parameters.items()
        if parameter.type in _SHARED and parameter.expression and code[:1] != "_"
    }
    published = [code for code in sorted(paths) if parameters[code].url.startswith(_PUBLISHED)]
    for code, own in paths.items():
        same = [each for each in published if _are_alike(parameters, each, code, paths)]
        if own and same and same[0] != code:
            found[code] = (same[0],)
    for code, own in paths.items():
        if code in found:
            continue
        parts = tuple(
            each
            for each in published
            if each not in found
            and paths[each]
            and paths[each] < own
            and parameters[each].type == parameters[code].type != "string"
        )
        if parts and frozenset().union(*(paths[each] for each in parts)) == own:
            found[code] = parts
    # A part may be a union itself.
    return {code: _resolved(found, code) for code in found}


def left_to_others(parameters: Mapping[str, SearchParameter]) -> dict[str, dict[str, str]]:
    """By code: the types whose references stand under another code instead, with that code.

    >>> from fhir_bridge.fhir import definitions
    >>> left_to_others(definitions().search_parameters_of("Observation"))
    {'subject': {'Patient': 'patient'}}
    """
    found: dict[str, dict[str, str]] = {}
    whole = {each.expression: code for code, each in parameters.items() if _is_own(each)}
    for code, each in parameters.items():
        match = _OF_ONE_TYPE.fullmatch(each.expression) if _is_own(each) else None
        if match and match[1] in whole:
            found.setdefault(whole[match[1]], {}).setdefault(match[2], code)
    return found


def _is_own(parameter: SearchParameter) -> bool:
    return parameter.type == "reference" and parameter.url.startswith(_PUBLISHED)


def _are_alike(
    parameters: Mapping[str, SearchParameter], one: str, other: str, paths: _Paths
) -> bool:
    """Whether two parameters index the same values in the same way."""
    return (
        paths[one] == paths[other]
        and parameters[one].type == parameters[other].type
        and (parameters[one].type != "string" or is_name(one) == is_name(other))
        and ("given" not in (one, other) or one == other)
    )


def _resolved(found: Mapping[str, tuple[str, ...]], code: str) -> tuple[str, ...]:
    codes = [
        part
        for each in found[code]
        for part in (_resolved(found, each) if each in found else (each,))
    ]
    return tuple(dict.fromkeys(codes))

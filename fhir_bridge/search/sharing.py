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

from collections.abc import Mapping
from dataclasses import dataclass, replace

from fhir_bridge.fhir import Definitions, SearchParameter
from fhir_bridge.search.paths import Path, plain_paths
from fhir_bridge.search.types import REFERENCE, STRING, is_name, search_type_of

__all__ = ["Sharing", "delegated_types", "shared_sources", "sharing_of"]

_PUBLISHED = "http://hl7.org/fhir/SearchParameter/"
_Paths = Mapping[str, frozenset[Path]]


@dataclass(frozen=True, slots=True)
class Sharing:
    """Which indexes of a type answer which parameters.

    `sources`: by code, the codes whose indexes together answer it, where that is not its own
    alone.  `delegated`: by code, the types whose references are in another code's index, with that.
    """

    sources: Mapping[str, tuple[str, ...]]
    delegated: Mapping[str, Mapping[str, str]]

    def only(self, code: str) -> frozenset[str]:
        """The types to which a code's references are delegated by others: it has no other ones."""
        return frozenset(
            type_
            for parts in self.delegated.values()
            for type_, part in parts.items()
            if part == code
        )


def sharing_of(
    definitions: Definitions, resource_type: str, parameters: Mapping[str, SearchParameter]
) -> Sharing:
    """What the parameters of a type share."""
    shared = shared_sources(definitions, resource_type, parameters)
    delegated = {
        whole: parts
        for whole, parts in delegated_types(definitions, resource_type, parameters).items()
        if whole not in shared and shared.keys().isdisjoint(parts.values())
    }
    own = {whole: (whole,) for whole in delegated}
    sources = {
        code: tuple(
            dict.fromkeys(
                each for source in codes for each in (source, *delegated.get(source, {}).values())
            )
        )
        for code, codes in {**shared, **own}.items()
    }
    return Sharing(sources, delegated)


def shared_sources(
    definitions: Definitions, resource_type: str, parameters: Mapping[str, SearchParameter]
) -> dict[str, tuple[str, ...]]:
    """The codes whose indexes together answer a parameter, for those without an own one.

    >>> from fhir_bridge.fhir import definitions
    >>> of_type = definitions().search_parameters_of("Observation")
    >>> shared_sources(definitions(), "Observation", of_type)["combo-code"]
    ('code', 'component-code')
    """
    sources: dict[str, tuple[str, ...]] = {}
    paths = {
        code: frozenset(plain_paths(definitions, resource_type, parameter.expression) or ())
        for code, parameter in parameters.items()
        if _is_shareable(parameter) and parameter.expression and code[:1] != "_"
    }
    published = [code for code in sorted(paths) if parameters[code].url.startswith(_PUBLISHED)]
    for code, own in paths.items():
        same = [each for each in published if _are_alike(parameters, each, code, paths)]
        if own and same and same[0] != code:
            sources[code] = (same[0],)
    for code, own in paths.items():
        if code in sources:
            continue
        parts = tuple(
            each
            for each in published
            if each not in sources
            and paths[each]
            and paths[each] < own
            and parameters[each].type == parameters[code].type
            and search_type_of(parameters[code]) is not STRING
        )
        if parts and frozenset().union(*(paths[each] for each in parts)) == own:
            sources[code] = parts
    # A part may be a union itself.
    return {code: _resolved(sources, code) for code in sources}


def delegated_types(
    definitions: Definitions, resource_type: str, parameters: Mapping[str, SearchParameter]
) -> dict[str, dict[str, str]]:
    """By code: the types whose references are under another code instead, with that code.

    >>> from fhir_bridge.fhir import definitions
    >>> of_type = definitions().search_parameters_of("Observation")
    >>> delegated_types(definitions(), "Observation", of_type)
    {'subject': {'Patient': 'patient'}}
    """
    delegated: dict[str, dict[str, str]] = {}
    paths = {
        code: of_code[0]
        for code, each in parameters.items()
        if _is_published_reference(each)
        and (of_code := plain_paths(definitions, resource_type, each.expression))
        and len(of_code) == 1
    }
    whole = {path: code for code, path in paths.items()}
    for code, path in paths.items():
        source = whole.get(replace(path, target="")) if path.target else None
        if source is not None:
            delegated.setdefault(source, {}).setdefault(path.target, code)
    return delegated


def _is_published_reference(parameter: SearchParameter) -> bool:
    return search_type_of(parameter) is REFERENCE and parameter.url.startswith(_PUBLISHED)


def _is_shareable(parameter: SearchParameter) -> bool:
    type_ = search_type_of(parameter)
    return type_ is not None and type_.is_shareable


def _are_alike(
    parameters: Mapping[str, SearchParameter], one: str, other: str, paths: _Paths
) -> bool:
    """Whether two parameters index the same values in the same way."""
    return (
        paths[one] == paths[other]
        and parameters[one].type == parameters[other].type
        and (search_type_of(parameters[one]) is not STRING or is_name(one) == is_name(other))
        and ("given" not in (one, other) or one == other)
    )


def _resolved(sources: Mapping[str, tuple[str, ...]], code: str) -> tuple[str, ...]:
    codes = [
        part
        for each in sources[code]
        for part in (_resolved(sources, each) if each in sources else (each,))
    ]
    return tuple(dict.fromkeys(codes))

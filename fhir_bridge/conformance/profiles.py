"""The conformance resources of the product and of a site, by canonical URL.

https://hl7.org/fhir/R4/conformance-module.html

Files under ``profiles/`` are found, not listed: ``profiles/<package>/<Type>-<id>.json``.
A URL may carry a version (``…|1.0``); it is found with and without it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property

from fhir_bridge.artifacts import Artifacts
from fhir_bridge.conformance.value_sets import concepts_of, expand
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import Resource, definitions, parse_json

__all__ = ["Profiles"]

Codes = Mapping[str, frozenset[str]]


class Profiles:
    """StructureDefinitions, ValueSets, CodeSystems, SearchParameters and their kin by URL."""

    def __init__(self, resources: Iterable[Resource] = ()) -> None:
        self._by_type: dict[str, dict[str, Resource]] = {}
        self._expanded: dict[str, Codes | None] = {}
        self._system_codes: dict[str, frozenset[str] | None] = {}
        self._displays: dict[str, dict[str, frozenset[str]]] = {}
        for resource in resources:
            url = resource.get("url")
            if isinstance(url, str):
                self._by_type.setdefault(str(resource.get("resourceType")), {})[url] = resource

    @classmethod
    def from_artifacts(cls, artifacts: Artifacts) -> Profiles:
        """All of ``profiles/**.json``; raises BridgeError FB-1001 naming a file that is no JSON."""
        return cls(
            _read(name, path.read_bytes()) for name, path in artifacts.walk("profiles", ".json")
        )

    def of_type(self, resource_type: str) -> Mapping[str, Resource]:
        """All resources of one type by URL."""
        return self._by_type.get(resource_type, {})

    @property
    def structure_definitions(self) -> Mapping[str, Resource]:
        """Profiles and extension definitions by URL, without those of R4 itself."""
        return self.of_type("StructureDefinition")

    @property
    def value_sets(self) -> Mapping[str, Resource]:
        """ValueSets by URL."""
        return self.of_type("ValueSet")

    @property
    def code_systems(self) -> Mapping[str, Resource]:
        """CodeSystems by URL."""
        return self.of_type("CodeSystem")

    @property
    def search_parameters(self) -> Mapping[str, Resource]:
        """SearchParameters by URL: what a site adds to those of R4."""
        return self.of_type("SearchParameter")

    @cached_property
    def extensions(self) -> Mapping[str, Resource]:
        """Extension definitions by URL; those of R4 itself where none of ours has their URL."""
        return {
            url: resource
            for known in (definitions().profiles, self.structure_definitions)
            for url, resource in known.items()
            if resource.get("type") == "Extension"
        }

    def structure_definition(self, url: str) -> Resource | None:
        """The profile or extension at `url`, with or without its version; ours before R4's own."""
        found = _find(self.structure_definitions, url)
        if found is not None or url.partition("|")[0] in self.structure_definitions:
            return found
        return _find(definitions().profiles, url)

    def type_of(self, url: str) -> str | None:
        """The resource type of what is at `url`, with or without a version; None of what is not here."""
        plain = url.partition("|")[0]
        types = (name for name, resources in self._by_type.items() if plain in resources)
        return next(types, None)

    def find(self, resource_type: str, url: str) -> Resource | None:
        """The resource of a type at `url` (a Questionnaire, a Measure), with or without its version."""
        return _find(self.of_type(resource_type), url)

    def system_codes(self, url: str) -> frozenset[str] | None:
        """All codes of the code system at `url`; None when it is not known whole."""
        if url not in self._system_codes:
            ours = self.code_systems.get(url)
            self._system_codes[url] = _all_codes(ours) if ours else definitions().code_system(url)
        return self._system_codes[url]

    def displays(self, url: str, code: str) -> frozenset[str]:
        """How the code system at `url` names `code`, in all languages; empty where that is not known."""
        if url not in self._displays:
            self._displays[url] = _displays(self.code_systems.get(url, {}))
        return self._displays[url].get(code, frozenset())

    def codes(self, value_set_url: str) -> Codes | None:
        """The codes of a value set by system; None when it is not known or cannot be listed.

        Ours come from the files, R4's own required ones from the definitions.
        """
        if value_set_url not in self._expanded:
            value_set = _find(self.value_sets, value_set_url)
            self._expanded[value_set_url] = (
                expand(value_set, self.value_sets, self.code_systems)
                if value_set
                else definitions().value_set(value_set_url)
            )
        return self._expanded[value_set_url]


def _find(resources: Mapping[str, Resource], url: str) -> Resource | None:
    plain, _, version = url.partition("|")
    found = resources.get(plain)
    if found and version and found.get("version") not in (None, version):
        return None
    return found


def _all_codes(code_system: Resource) -> frozenset[str] | None:
    if code_system.get("content") != "complete":
        return None
    return frozenset(str(concept.get("code")) for concept, _ in concepts_of(code_system))


def _displays(code_system: Resource) -> dict[str, frozenset[str]]:
    return {
        str(concept.get("code")): frozenset(
            str(named[key])
            for named, key in (
                (concept, "display"),
                *((one, "value") for one in concept.get("designation", ())),
            )
            if key in named
        )
        for concept, _ in concepts_of(code_system)
    }


def _read(name: str, data: bytes) -> Resource:
    try:
        return parse_json(data)
    except BridgeError as error:
        raise BridgeError(
            error.code, name, issues=error.issues, reason=error.issues[0].sentence
        ) from None

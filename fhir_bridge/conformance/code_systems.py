"""Code systems that are at hand whole: which codes they hold, and no others.

https://hl7.org/fhir/R4/codesystem-definitions.html#CodeSystem.content
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from fhir_bridge.artifacts import Artifacts
from fhir_bridge.conformance.value_sets import concepts_of
from fhir_bridge.fhir import Resource, definitions, parse_json

__all__ = ["CodeSystems"]


class CodeSystems:
    """The complete code systems of R4 and those of the product and of a site.

    The files are read when the first code is asked for; ours and a site's come before R4's.
    """

    def __init__(self, artifacts: Artifacts | None = None) -> None:
        self._artifacts = artifacts
        self._known: dict[str, frozenset[str] | None] = {}

    def codes(self, url: str) -> frozenset[str] | None:
        """All codes of the system at `url`; None when it is not known whole."""
        if url not in self._known:
            self._known[url] = self._of_files.get(url) or definitions().code_system(url)
        return self._known[url]

    @cached_property
    def _of_files(self) -> dict[str, frozenset[str]]:
        return {
            str(resource.get("url")): frozenset(
                str(one["code"]) for one, _ in concepts_of(resource)
            )
            for resource in self._resources()
            if resource.get("content") == "complete"
        }

    def _resources(self) -> Iterable[Resource]:
        for name, path in self._artifacts.walk("profiles", ".json") if self._artifacts else ():
            if name.rpartition("/")[2].startswith("CodeSystem-"):
                yield parse_json(path.read_bytes())

"""What codes are called in the reader's language, from the CodeSystems of the profiles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fhir_bridge.console.display import concept_text, list_of
from fhir_bridge.fhir import Resource

__all__ = ["Terms"]


class Terms:
    """Names of codes by system and language; made once from all CodeSystems."""

    def __init__(self, code_systems: Iterable[Resource]) -> None:
        self._names: dict[tuple[str, str], dict[str, str]] = {}
        for code_system in code_systems:
            url = str(code_system.get("url", ""))
            for concept in _concepts(code_system):
                self._names[url, str(concept.get("code", ""))] = _names(concept)

    def coding(self, coding: Mapping[str, Any] | None, language: str) -> str:
        """The name of a Coding; its own display where the CodeSystem is not ours."""
        if not coding:
            return ""
        code = str(coding.get("code", ""))
        names = self._names.get((str(coding.get("system", "")), code), {})
        return names.get(language[:2]) or str(coding.get("display") or code)

    def concept(self, concept: Mapping[str, Any] | None, language: str) -> str:
        """The name of a CodeableConcept: a coding of ours first, then its text."""
        for coding in list_of(concept, "coding"):
            if (str(coding.get("system", "")), str(coding.get("code", ""))) in self._names:
                return self.coding(coding, language)
        return concept_text(concept)


def _concepts(node: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    for concept in list_of(node, "concept"):
        yield concept
        yield from _concepts(concept)


def _names(concept: Mapping[str, Any]) -> dict[str, str]:
    names = {"en": str(concept.get("display", ""))}
    for designation in list_of(concept, "designation"):
        language = str(designation.get("language", ""))[:2]
        if language:
            names[language] = str(designation.get("value", ""))
    return names

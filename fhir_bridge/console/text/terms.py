"""What codes are called in the reader's language.

First the CodeSystems of the profiles, then ``code_names.csv``: our own short names for codes of
LOINC and SNOMED CT that the maps write, and for answers of the public-health paper forms.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from fhir_bridge.console.text.display import concept_text, list_of
from fhir_bridge.fhir import Resource

__all__ = ["Terms", "code_names"]

Key = tuple[str, str]
_HAN = re.compile("[\u3400-\u9fff]")


class Terms:
    """Names of codes by system and language; made once from all CodeSystems."""

    def __init__(self, code_systems: Iterable[Resource]) -> None:
        self._defined: dict[Key, Mapping[str, str]] = {}
        for code_system in code_systems:
            url = str(code_system.get("url", ""))
            for concept in _concepts(code_system):
                self._defined[url, str(concept.get("code", ""))] = _names(concept)

    def coding(self, coding: Mapping[str, Any] | None, language: str) -> str:
        """The name of a Coding; its own display, else its code, where we have no name for it."""
        if not coding:
            return ""
        key = _key(coding)
        names = self._defined.get(key) or code_names().get(key) or {}
        return names.get(language[:2]) or str(coding.get("display") or key[1])

    def concept(self, concept: Mapping[str, Any] | None, language: str) -> str:
        """The name of a CodeableConcept.

        A coding of our CodeSystems first; then its text, where that is in the reader's
        language; then a coding that we have a name for; then whatever the sender wrote.
        """
        codings = list_of(concept, "coding")
        for coding in codings:
            if _key(coding) in self._defined:
                return self.coding(coding, language)
        text = str((concept or {}).get("text") or "")
        if text and (_HAN.search(text) is not None) == language.startswith("zh"):
            return text
        for coding in codings:
            if _key(coding) in code_names():
                return self.coding(coding, language)
        return concept_text(concept)


@cache
def code_names() -> Mapping[Key, Mapping[str, str]]:
    """Names by (system, code) and then by language ("zh", "en")."""
    text = files(__package__).joinpath("code_names.csv").read_text(encoding="utf-8")
    return {
        (row["system"], row["code"]): {"zh": row["zh"], "en": row["en"]}
        for row in csv.DictReader(text.splitlines())
    }


def _key(coding: Mapping[str, Any]) -> Key:
    return str(coding.get("system", "")), str(coding.get("code", ""))


def _concepts(node: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    for concept in node.get("concept") or ():
        yield concept
        yield from _concepts(concept)


def _names(concept: Mapping[str, Any]) -> dict[str, str]:
    names = {"en": str(concept.get("display", ""))}
    for designation in list_of(concept, "designation"):
        language = str(designation.get("language", ""))[:2]
        if language:
            names[language] = str(designation.get("value", ""))
    return names

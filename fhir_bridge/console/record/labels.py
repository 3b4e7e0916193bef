"""What a page knows beside the record: words, names of codes, of identifiers and of feeds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fhir_bridge.console.text.identifier_names import IdentifierNames
from fhir_bridge.console.text.language import Words
from fhir_bridge.console.text.terms import Terms
from fhir_bridge.fhir import Resource

__all__ = ["Labels"]


@dataclass(frozen=True, slots=True)
class Labels:
    """The names of things in the reader's language; `feeds`: name -> (title, kind of source)."""

    words: Words
    terms: Terms
    names: IdentifierNames
    feeds: dict[str, tuple[str, str]]

    @property
    def language(self) -> str:
        """The language of the page, as "zh-CN"."""
        return self.words.language

    def concept(self, concept: Mapping[str, Any] | None) -> str:
        """A CodeableConcept as text; "" for none."""
        return self.terms.concept(concept, self.language)

    def coding(self, coding: Mapping[str, Any] | None) -> str:
        """A Coding as text; "" for none."""
        return self.terms.coding(coding, self.language)

    def status(self, resource: Resource) -> str:
        """The status of a resource in words, else its code."""
        status = str(resource.get("status", ""))
        return self.words.get(f"status_{status}", status)

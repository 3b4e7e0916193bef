"""Mentions of a record that was made before statements were kept apart.

Until then the elements that came from mentions were named in the extension ``mentioned`` on
``Resource.meta``; now a mention is a statement of its own level (`fhir_bridge.update`).
"""

from __future__ import annotations

from fhir_bridge.fhir import Resource

__all__ = ["MENTIONED", "mentioned_elements"]

MENTIONED = "https://fhir-bridge.org/fhir/StructureDefinition/mentioned"


def mentioned_elements(resource: Resource) -> frozenset[str]:
    """The elements of `resource` that come from mentions."""
    extensions = resource.get("meta", {}).get("extension", ())
    texts = [each.get("valueString", "") for each in extensions if each.get("url") == MENTIONED]
    return frozenset(name for text in texts for name in text.split())

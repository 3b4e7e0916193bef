"""Datatypes whose verdict depends on nothing but their own content.

https://hl7.org/fhir/R4/fhirpath.html#variables

An extension or a concept is judged by its structure and by the definitions of extensions.
As long as no rule of a datatype's profile looks elsewhere (``%resource``, ``resolve()``, the
time, a terminology server), the same content has the same verdict wherever it stands.
"""

from __future__ import annotations

import re

from fhir_bridge.conformance import Profiles
from fhir_bridge.fhir import Definitions

__all__ = ["self_contained_types"]

_TYPES = frozenset({"CodeableConcept", "Extension"})
_LOOKS_ELSEWHERE = re.compile(
    r"%|\b(?:resolve|today|now|timeOfDay|memberOf|subsumes|subsumedBy|conformsTo|trace)\s*\("
)


def self_contained_types(definitions: Definitions, profiles: Profiles) -> frozenset[str]:
    """Extension and CodeableConcept, or nothing when a profile of a datatype looks elsewhere."""
    for profile in profiles.structure_definitions.values():
        if profile.get("type") in definitions.resource_types:
            continue
        if any(context.get("type") == "fhirpath" for context in profile.get("context", ())):
            return frozenset()
        elements = [
            element
            for part in ("snapshot", "differential")
            for element in (profile.get(part) or {}).get("element", ())
        ]
        rules = [
            *profile.get("contextInvariant", ()),
            *(
                str(rule.get("expression", ""))
                for element in elements
                for rule in element.get("constraint", ())
                if not str(rule.get("key", "")).startswith(("ele-", "ext-", "ref-"))
            ),
        ]
        paths = [
            str(discriminator.get("path", ""))
            for element in elements
            for discriminator in element.get("slicing", {}).get("discriminator", ())
        ]
        if any(_LOOKS_ELSEWHERE.search(text) for text in (*rules, *paths)):
            return frozenset()
    return _TYPES

"""Codes to codes: concept maps, and the two names of a code system (OID and URI).

Read in this order: `concept_maps` (a set of ConceptMaps, translation), `code_systems`
(OID <-> URI of the international code systems), `languages` (tags of BCP 47).
"""

from fhir_bridge.terminology.code_systems import oid_of, uri_of
from fhir_bridge.terminology.concept_maps import ConceptMaps, Translation
from fhir_bridge.terminology.languages import is_language_tag, language_tag

__all__ = ["ConceptMaps", "Translation", "is_language_tag", "language_tag", "oid_of", "uri_of"]

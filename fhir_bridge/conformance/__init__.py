"""Definitions beyond R4's own: profiles, extensions, value sets, code systems by URL.

`profiles` finds and holds them; `value_sets` lists their codes; `code_systems` those that are whole.
"""

from fhir_bridge.conformance.code_systems import CodeSystems
from fhir_bridge.conformance.profiles import Profiles
from fhir_bridge.conformance.value_sets import concepts_of, expand

__all__ = ["CodeSystems", "Profiles", "concepts_of", "expand"]

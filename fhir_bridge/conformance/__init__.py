"""Definitions beyond R4's own: profiles, extensions, value sets, code systems by URL.

`profiles` finds and holds them; `value_sets` lists their codes.
"""

from fhir_bridge.conformance.profiles import Profiles
from fhir_bridge.conformance.value_sets import concepts_of, expand

__all__ = ["Profiles", "concepts_of", "expand"]

"""patch: change parts of a resource, by JSON Patch, XML Patch or FHIRPath Patch.

Read in this order: `interaction`, `apply` (which language), `json_patch`, `xml_patch`,
`fhirpath_patch` with `path` (places in a resource) and `value` (what is put there).
"""

from fhir_bridge.interactions.patch.apply import Patches
from fhir_bridge.interactions.patch.interaction import patch, patch_conditional

__all__ = ["Patches", "patch", "patch_conditional"]

"""Validation: structure, invariants, extensions, profiles; issues as values.

Read in this order: `validator` (the flow) with `strictness`, `finding` and `context` (what checks share) ·
`fast_path` (the answer that nearly all resources get) · `structure` (R4 itself) · `extensions` · `invariants`
(FHIRPath rules) · `profiles` (what a profile asks beyond R4) with `values` · `resources` (what stands beside a resource) ·
`models_check` (fhir.resources, where it is asked).
"""

from fhir_bridge.validation.models_check import ModelsCheck
from fhir_bridge.validation.strictness import Strictness
from fhir_bridge.validation.validator import Validator, validate

__all__ = ["ModelsCheck", "Strictness", "Validator", "validate"]

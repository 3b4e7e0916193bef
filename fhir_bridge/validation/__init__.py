"""Validation: structure, invariants, extensions, profiles; issues as values.

Read in this order: `validator` (the flow), `soundness` with `self_contained` and `remembered` (the quick
answer that nearly all resources get), `structure` with `element_checks`, `primitives`, `narrative` and
`contained` (R4 itself, compiled from the definitions), `invariants` (FHIRPath rules),
`profile` with `element_tree`, `rules`, `narrowing`, `slices`, `slicing` and `values` (what a profile asks
beyond R4), `extension_context`, `bundle` and `document` (what holds between entries), `questionnaire_response` with
`enable_when`, `measure_report` and `structure_definition` (what stands beside a resource),
`second_opinion` (fhir.resources, when it is asked), `finding` (what checks return).
"""

from fhir_bridge.validation.second_opinion import SecondOpinion
from fhir_bridge.validation.strictness import Strictness
from fhir_bridge.validation.validator import Validator, validate

__all__ = ["SecondOpinion", "Strictness", "Validator", "validate"]

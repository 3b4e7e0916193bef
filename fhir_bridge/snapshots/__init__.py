"""Snapshots of StructureDefinitions: all elements of a profile, from its base and its differential.

https://hl7.org/fhir/R4/structuredefinition.html#snapshot

Read in this order: `element_steps`, `snapshot_node` (lists of elements as trees) ·
`base_elements` (the types of R4) · `overlay`, `choice`, `merging` (one differential) · `generator` · `narrative`.
"""

from fhir_bridge.snapshots.element_steps import Steps, with_steps
from fhir_bridge.snapshots.generator import Snapshots
from fhir_bridge.snapshots.narrative import with_narrative

__all__ = ["Snapshots", "Steps", "with_narrative", "with_steps"]

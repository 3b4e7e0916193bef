"""From a plan's conditions to SQL, one file a kind of condition.

Read in this order: `scope` (what a question shares), `selector` (a whole condition), `driving`
(which index it starts from), then `postings`, `texts`, `dates`, `quantities`, `positions`,
`references`, `presence`.
"""

from fhir_bridge.store.select.driving import allows_generic_plan
from fhir_bridge.store.select.scope import Pin
from fhir_bridge.store.select.selector import Selector

__all__ = ["Pin", "Selector", "allows_generic_plan"]

"""From a plan's conditions to SQL, one file a kind of condition.

Read in this order: `scope` (what a question shares), `rights` and `visible` (the predicate of access), `selector` (a whole condition), `driving`
and `narrowing` (which index it starts from), then `postings`, `texts`, `dates`, `quantities`, `positions`,
`references`, `presence`.
"""

from fhir_bridge.store.select.driving import allows_generic_plan
from fhir_bridge.store.select.rights import Rights
from fhir_bridge.store.select.scope import At, Pin
from fhir_bridge.store.select.selector import Selector
from fhir_bridge.store.select.visible import any_of

__all__ = ["At", "Pin", "Rights", "Selector", "allows_generic_plan", "any_of"]

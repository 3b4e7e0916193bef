"""Groups as generated Python: the fast path of a run.

Where the types of the targets of a group are known before it runs, its rules are written as
one Python function: loops over source items, plain assignments into JSON objects, calls of
the functions of other groups.  What a rule does beyond that (shared items, target list
modes, choices told by the value) is called as the closure that `compile_target` and
`compile_rule` make of it (docs/decisions/adr-2611-transform-compiled-maps.md).

Promises: a generated function does exactly what the closures do.  Lineage, FHIR JSON as the
source and a target that is given take the closures.
"""

from fhir_bridge.transform.generate.map import GENERATE_AT, GeneratedMap

__all__ = ["GENERATE_AT", "GeneratedMap"]

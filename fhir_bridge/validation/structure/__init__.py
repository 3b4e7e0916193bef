"""R4 itself, compiled from its definitions: shapes, cardinalities, value domains, bindings.

Read in this order: `structure` (checks by type) with `element_checks` and `primitives` · `type_rules`,
`coding`, `narrative`, `contained` (what R4 says in words).
"""

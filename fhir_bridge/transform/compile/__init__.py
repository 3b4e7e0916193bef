"""Maps to functions: each part of a rule is read once and becomes a closure.

Read in this order: `unit` and `scope` (what is known while a map is compiled), `rule`,
`source`, `target`, `transform`, `translate` (the parts of a rule), `expression` (FHIRPath
inside maps), `standard_transforms`, `identity` (groups that a map from another release leaves
out), `hooks`.
"""

"""What runs: the state of a run and its two trees.

Read in this order: `source` (items of the input) and `children`, `target` (places of the
output), `coerce` and `write` (values into places), `run` (findings and lineage), `normalise` (order
and pruning).
"""

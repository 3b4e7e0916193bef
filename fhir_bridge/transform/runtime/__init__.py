"""What runs: the state of a run and its two trees.

Read in this order: `source` (items of the input) and `children`, `target` (places of the
output), `fit` and `write` (values into places), `run` (findings and lineage), `finish` (order
and pruning).
"""

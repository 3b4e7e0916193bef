"""The fast path: whether a resource surely has no fault, which nearly all have not.

`fast_path` (tests by layout), `memo` (contents that come again), `self_contained` (which contents may be kept).
"""

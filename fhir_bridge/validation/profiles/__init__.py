"""What profiles ask beyond R4, compiled from StructureDefinitions.

Read in this order: `compiler` with `element_tree` · `rules`, `date_bounds`, `narrowing`, `element_extensions`
(what an element asks of a value) · `slices`, `slicing` (which items are of which slice).
"""

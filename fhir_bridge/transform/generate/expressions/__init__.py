"""FHIRPath of maps as Python.

Read in this order: `condition` (the functions that are written), `writer` with `calls` and
`text` (the form of an expression to a Python expression), `items` and `answers` (what the text
calls when it runs).
"""

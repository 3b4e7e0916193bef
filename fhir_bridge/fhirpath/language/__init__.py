"""The language: text to syntax tree (http://hl7.org/fhirpath/N1/#grammar).

`lexer`, then `parser`, which makes the trees of `syntax`; `suggestion` for names that are nearly right.
"""

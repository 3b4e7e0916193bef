"""What the sources said, kept apart from what the record shows: rows without a meaning of their own.

`statements` (of resources), `persons` (of persons, and their keys), `links` (decisions on who is
one person), `held` (contradictions).  `fhir_bridge.update` and `fhir_bridge.identity` give them
their meaning.
"""

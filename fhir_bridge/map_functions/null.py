"""``null()``: the value that takes back what the same source said of the element before."""

from __future__ import annotations

from fhir_bridge.fhir.marks import NULL

RESULT = ""


def null() -> str:
    """The null: an element with it takes back what its source said before."""
    return NULL

"""``kept_as_text(text, kind)``: tells that a text could not be read as what it should be."""

from __future__ import annotations

from fhir_bridge.errors import Issue
from fhir_bridge.fhir.marks import is_null


def kept_as_text(text: str | None, kind: str) -> Issue | None:
    """FB-2128, a warning at the source position; nothing from an absent text or a null.

    >>> kept_as_text("约65", "number").code
    'FB-2128'
    """
    if not text or is_null(text):
        return None
    return Issue("FB-2128", "warning", details={"type": str(kind)})

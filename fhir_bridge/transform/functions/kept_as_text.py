"""``kept_as_text(text, kind)``: tells that a text could not be read as what it should be."""

from __future__ import annotations

from fhir_bridge.errors import Issue


def kept_as_text(text: str | None, kind: str) -> Issue | None:
    """FB-2128, a warning at the source position; nothing from an absent text.

    >>> kept_as_text("约65", "number").code
    'FB-2128'
    """
    return Issue("FB-2128", "warning", details={"type": str(kind)}) if text else None

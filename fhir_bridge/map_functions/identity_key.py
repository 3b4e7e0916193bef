"""``identity_key(part, …)``: what a thing is known by where it has no number of its own."""

from __future__ import annotations

from fhir_bridge.fhir.marks import is_null

RESULT = "string"


def identity_key(*parts: object) -> str | None:
    """The parts with ``/`` between them; absent and null ones are empty, at the end left out.

    A sender who writes ``""`` into every field that it does not fill still names the thing.

    >>> identity_key("JCCH", "F1", None, "2345-7", None)
    'JCCH/F1//2345-7'
    """
    texts = ["" if part is None or is_null(part) else str(part) for part in parts]
    return "/".join(texts).rstrip("/") or None

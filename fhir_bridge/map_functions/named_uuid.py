"""``named_uuid(part, …)``: the same UUID for the same parts, always (RFC 9562, version 5)."""

from __future__ import annotations

from fhir_bridge import clock
from fhir_bridge.fhir.marks import NULL

RESULT = "string"


def named_uuid(*parts: object) -> str | None:
    """A UUID made of the parts; nothing when every part is absent, null when one takes back."""
    given = [str(part) for part in parts if part is not None]
    if any(NULL in part for part in given):
        return NULL
    return clock.stable_id(*given) if given else None

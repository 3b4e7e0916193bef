"""The error of an evaluation that cannot go on."""

from __future__ import annotations

from fhir_bridge.errors import BridgeError

__all__ = ["fail"]


def fail(reason: str) -> BridgeError:
    """FB-2005 with the reason in words, to be raised."""
    return BridgeError("FB-2005", reason=reason)

"""``usual(value)``: a value that the map supposes, because the message does not say."""

from __future__ import annotations

from typing import Any

from fhir_bridge.fhir import marks

RESULT = ""


def usual(value: Any) -> Any:
    """`value` as supposed: stored where its source knows nothing better, never over a statement.

    >>> usual(None) is None
    True
    """
    if value is None or isinstance(value, str | dict | list) or not hasattr(value, "get"):
        return marks.usual(value)
    return marks.usual(value.get("xmlText"))

"""``usual(value, field)``: a value that the map supposes, because the message does not say."""

from __future__ import annotations

from typing import Any

from fhir_bridge.fhir import marks

RESULT = ""


def usual(value: Any, field: Any = None) -> Any:
    """`value` as supposed: stored where its source knows nothing better, never over a statement.

    `field` is what would state it: where that is a null, what it stated before is taken back.

    >>> usual(None) is None
    True
    """
    instead = marks.is_null(_text(field))
    return marks.usual(_text(value), instead=instead)


def _text(value: Any) -> Any:
    """The text of an element of XML; anything else as it is."""
    if isinstance(value, str | dict | list) or not hasattr(value, "get"):
        return value
    return value.get("xmlText")

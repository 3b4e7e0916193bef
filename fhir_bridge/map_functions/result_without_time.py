"""``result_without_time(order, code)``: a result of the message that its code alone names.

HL7 v2.5.1 section 7.4.1.26 (OBR-26): a parent result is named by code and sub-id, not by time.
"""

from __future__ import annotations

from typing import Any

RESULT = "string"


def result_without_time(order: Any, code: Any = None) -> str | None:
    """`code` when the message of `order` has an OBX with this code and no OBX-14, else nothing.

    >>> result_without_time(None, "1") is None
    True
    """
    message = getattr(order, "message", None)
    if message is None or not code:
        return None
    found = message.first_with("OBX", ("f3", "f14"), (str(code), ""))
    return None if found is None else str(code)

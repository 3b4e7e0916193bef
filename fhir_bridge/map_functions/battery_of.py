"""``battery_of(order, number)``: what the order with a number asks for.

HL7 v2.5.1 section 4.5.3.29 (OBR-29): an order names its parent by number alone.
"""

from __future__ import annotations

from typing import Any

RESULT = "string"


def battery_of(order: Any, number: Any = None) -> str | None:
    """The code of OBR-4 of the first OBR with this number (filler, else placer) in the message of `order`.

    >>> battery_of(None, "1") is None
    True
    """
    message = getattr(order, "message", None)
    if message is None or not number:
        return None
    found = message.first_with("OBR", ("f3",), (str(number),)) or message.first_with(
        "OBR", ("f2",), (str(number),)
    )
    battery = None if found is None else found.get("f4")
    if isinstance(battery, list):
        battery = battery[0]
    return None if battery is None else str(battery)

"""``battery_if_shared(obr)``: the code of OBR-4 where several OBR of a message have one number.

HL7 v2.5.1 section 4.5.1.2: one number is one order; senders that give one to several
batteries need the battery to tell them apart.
"""

from __future__ import annotations

from typing import Any

RESULT = "string"


def battery_if_shared(obr: Any) -> str | None:
    """The first component of OBR-4 when another OBR has the same OBR-2 (else OBR-3), else nothing."""
    message = getattr(obr, "message", None)
    others = () if message is None else message.segments_named("OBR")
    battery = obr.get("f4") if len(others) > 1 else None
    if battery is None:
        return None
    field = "f3" if obr.get("f2") is None else "f2"
    number = obr.get(field)
    if number is None or not any(each is not obr and each.get(field) == number for each in others):
        return None
    return str(battery[0] if isinstance(battery, list) else battery)

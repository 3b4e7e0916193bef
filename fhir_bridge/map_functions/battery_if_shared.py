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
    if message is None:
        return None
    battery = obr.get("f4")
    if battery is None:
        return None
    field = 3 if obr.get("f2") is None else 2
    if obr.get(f"f{field}") is None or message.count_alike(obr, (field,)) < 2:
        return None
    return str(battery[0] if isinstance(battery, list) else battery)

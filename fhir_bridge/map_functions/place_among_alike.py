"""``place_among_alike(segment, leader, field, …)``: what tells equal siblings apart.

Two OBX of one order may have the same code and sub-id and no time (HL7 v2.5.1 section 7.4.2
asks for OBX-4 then, many leave it out); their order in the group is all that is left.
"""

from __future__ import annotations

from typing import Any

RESULT = "string"


def place_among_alike(segment: Any, leader: str, *fields: int) -> str | None:
    """``#2`` for the second segment with the same fields after `leader`; nothing for the first."""
    message = getattr(segment, "message", None)
    if message is None:
        return None
    place = message.place_among_alike(segment, str(leader), tuple(int(field) for field in fields))
    return f"#{place}" if place > 1 else None

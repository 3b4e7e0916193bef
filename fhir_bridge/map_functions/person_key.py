"""``person_key(facility, pid)``: what a person's things without a number are named by."""

from __future__ import annotations

from typing import Any

from fhir_bridge.map_functions.identity_key import identity_key

RESULT = "string"


def person_key(facility: Any, pid: Any = None) -> str | None:
    """Facility and the first number of PID-3, else of PID-2, else PID-19; nothing without one."""
    if pid is None or not hasattr(pid, "get"):
        return None
    for field in ("f3", "f2", "f19"):
        number = pid.get(field)
        if number is not None:
            return identity_key(facility, number[0] if isinstance(number, list) else number)
    return None

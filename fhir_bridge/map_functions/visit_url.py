"""``visit_url(pv1, type, url)``: whether a PV1 speaks of a visit.

HL7 v2.5.1 chapter 3: events about persons and accounts alone (A28, A31, A40 …) carry PV1 only
because it is required; class N of table 0004 is "not applicable".
"""

from __future__ import annotations

import re
from typing import Any

RESULT = "string"

_OF_PERSONS = re.compile(r"A(18|24|28|29|3[014679]|4[0134678])")


def visit_url(pv1: Any, message_type: Any = None, url: str | None = None) -> str | None:
    """`url` when there is a PV1 with a number, or one of a class in an event about visits."""
    if isinstance(pv1, list):
        pv1 = pv1[0] if pv1 else None
    if pv1 is None or not hasattr(pv1, "get"):
        return None
    if pv1.get("f19") is not None or pv1.get("f50") is not None:
        return url
    event = message_type.get("c2") if hasattr(message_type, "get") else None
    if str(pv1.get("f2") or "") == "N" or _OF_PERSONS.fullmatch(str(event or "")):
        return None
    return url

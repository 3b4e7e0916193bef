"""``order_key(obr, orc, facility, person)``: what a report and its results are known by.

HL7 v2.5.1 sections 4.5.1.3 (ORC-3) and 4.5.3.4 (OBR-4): the filler's number names an order
and an order asks for one battery, but many laboratories give one number to the batteries of a
tube, and a monitor repeats one battery under one number.  So the key is the number and the
battery, with the time (OBR-7) where the message itself repeats both.
"""

from __future__ import annotations

from typing import Any

from fhir_bridge.fhir.marks import is_null
from fhir_bridge.map_functions.identity_key import identity_key

RESULT = "string"

_KNOWN_BY = (2, 3, 4)
_NUMBERS = (("obr", "f3"), ("orc", "f3"), ("obr", "f2"), ("orc", "f2"))


def order_key(
    obr: Any, orc: Any = None, facility: str | None = None, person: str | None = None
) -> str | None:
    """Facility, number of the filler (else the placer), battery, and what tells siblings apart.

    An order without any number is known by the person, the battery and the time.
    """
    message = getattr(obr, "message", None)
    if message is None:
        return None
    segments = {"obr": obr, "orc": orc[0] if isinstance(orc, list) else orc}
    numbers = (_text(segments[name], field) for name, field in _NUMBERS)
    number = next(filter(None, numbers), None)
    battery = _battery(obr)
    time = _text(obr, "f7") or _text(obr, "f22")
    if number is None:
        return identity_key(person, "order", battery, time or _text(message.header, "f7"))
    if message.count_alike(obr, _KNOWN_BY) < 2:
        return identity_key(facility, number, battery)
    place = message.place_among_alike(obr, "", (*_KNOWN_BY, 7))
    return identity_key(facility, number, battery, time, f"#{place}" if place > 1 else None)


def _battery(obr: Any) -> str | None:
    """The code of OBR-4, else its words."""
    code = obr.get("f4")
    if isinstance(code, list):
        code = code[0]
    return None if code is None else _plain(code) or _plain(code.get("c2") or "")


def _text(segment: Any, field: str) -> str | None:
    """The first component of the first value of a field."""
    value = None if segment is None else segment.get(field)
    if isinstance(value, list):
        value = value[0]
    return None if value is None else _plain(value)


def _plain(value: Any) -> str | None:
    return None if is_null(value) else str(value) or None

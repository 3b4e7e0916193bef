"""One HL7 v2 message on its way out of a source system, and how such a system writes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fhir_bridge.demo.community import Staff

__all__ = ["Outgoing", "System", "escape", "header", "physician", "render", "timestamp"]

_ESCAPES = str.maketrans(
    {"\\": "\\E\\", "|": "\\F\\", "^": "\\S\\", "&": "\\T\\", "~": "\\R\\", "\r": "\\.br\\"}
)


@dataclass(frozen=True, slots=True)
class System:
    """A sending system: MSH-3, MSH-4, the bytes it writes and whether MSH-18 says so."""

    application: str
    facility: str
    codec: str
    declared: str


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message ready to be framed; `fault` names what is wrong with it, if anything."""

    control_id: str
    data: bytes
    fault: str = ""


def escape(text: str) -> str:
    r"""`text` with the separators escaped (HL7 v2.5 section 2.7).

    >>> print(escape("10^9/L & more"))
    10\S\9/L \T\ more
    """
    return text.translate(_ESCAPES)


def timestamp(moment: datetime) -> str:
    """A TS with the zone of the hospital."""
    return f"{moment:%Y%m%d%H%M%S}+0800"


def header(system: System, kind: str, structure: str, control_id: str, moment: datetime) -> str:
    """The MSH segment."""
    first, second = kind.split("_")
    return "|".join(
        (
            "MSH",
            "^~\\&",
            system.application,
            system.facility,
            "FHIRBRIDGE",
            "ALLIANCE",
            timestamp(moment),
            "",
            f"{first}^{second}^{structure}",
            control_id,
            "P",
            "2.5",
            "",
            "",
            "",
            "",
            "CHN",
            system.declared,
        )
    ).rstrip("|")


def physician(staff: Staff) -> str:
    """An XCN: staff number, family and given name, issuer of the number."""
    return f"{staff.code}^{staff.surname}^{staff.given}^^^^^^&2.16.156.10011.1.4&ISO"


def render(system: System, segments: Sequence[str]) -> bytes:
    """The bytes of a message as `system` writes them: one segment a line, ended by CR."""
    return ("\r".join(segments) + "\r").encode(system.codec)

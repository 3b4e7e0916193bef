"""What a Reference points to, by a name that a person reads.

https://hl7.org/fhir/R4/references.html#Reference
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fhir_bridge.console.reader import Reader
from fhir_bridge.console.text.display import person_name, reference_text

__all__ = ["ReferenceLink", "view_reference"]


@dataclass(frozen=True, slots=True)
class ReferenceLink:
    """Something with a name and, where the record holds it, ``Type/id``."""

    text: str
    reference: str


def view_reference(reference: dict[str, Any] | None, reader: Reader) -> ReferenceLink:
    """The name of what `reference` points to: as written there, else read from the record."""
    target = reader.target(reference)
    literal = f"{target['resourceType']}/{target['id']}" if target else ""
    written = (reference or {}).get("display")
    if written or target is None:
        return ReferenceLink(str(written or reference_text(reference)), literal)
    name = target.get("name")
    return ReferenceLink(name if isinstance(name, str) else person_name(target) or literal, literal)

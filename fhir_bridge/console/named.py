"""What a Reference points to, by a name that a person reads.

https://hl7.org/fhir/R4/references.html#Reference
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fhir_bridge.console.display import person_name, reference_text
from fhir_bridge.console.reader import Reader

__all__ = ["Named", "named"]


@dataclass(frozen=True, slots=True)
class Named:
    """Something with a name and, where the record holds it, ``Type/id``."""

    text: str
    reference: str


def named(reference: dict[str, Any] | None, reader: Reader) -> Named:
    """The name of what `reference` points to: as written there, else read from the record."""
    target = reader.target(reference)
    literal = f"{target['resourceType']}/{target['id']}" if target else ""
    written = (reference or {}).get("display")
    if written or target is None:
        return Named(str(written or reference_text(reference)), literal)
    name = target.get("name")
    return Named(name if isinstance(name, str) else person_name(target) or literal, literal)

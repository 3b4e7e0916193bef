"""Profiles made for a test: the frame of a StructureDefinition that constrains a type."""

from typing import Any

R4 = "http://hl7.org/fhir/StructureDefinition/"


def constraint(
    type_name: str,
    elements: list[dict[str, Any]],
    *,
    url: str,
    base: str | None = None,
    **rest: Any,
) -> dict[str, Any]:
    """A profile of `type_name` whose differential holds `elements`."""
    return {
        "resourceType": "StructureDefinition",
        "url": url,
        "name": "X",
        "status": "draft",
        "kind": "resource",
        "abstract": False,
        "type": type_name,
        "baseDefinition": base or f"{R4}{type_name}",
        "derivation": "constraint",
        "differential": {"element": elements},
        **rest,
    }

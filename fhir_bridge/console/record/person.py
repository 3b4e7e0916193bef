"""Who a resident is, as a page shows it: a Patient's demographics and identifiers.

https://hl7.org/fhir/R4/patient.html
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fhir_bridge import clock
from fhir_bridge.console.record.labels import Labels
from fhir_bridge.console.text.display import (
    address_text,
    day,
    first,
    list_of,
    person_name,
    years_between,
)
from fhir_bridge.fhir import Resource

__all__ = ["IdentifierView", "PersonView", "view_identifiers", "view_person"]

_KEY_GROUP = "https://fhir-bridge.org/fhir/StructureDefinition/key-population"
_NOT_VERIFIED = "https://fhir-bridge.org/fhir/StructureDefinition/identifier-not-verified"


@dataclass(frozen=True, slots=True)
class PersonView:
    """Who the resident is; `deceased` is a date, "✓" when none is told, "" for the living."""

    id: str
    name: str
    sex: str
    born: str
    age: int | None
    deceased: str
    phone: str
    address: str
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IdentifierView:
    """A number of the resident and what it is called."""

    label: str
    value: str
    unverified: bool


def view_person(patient: Resource, labels: Labels) -> PersonView:
    """The view of `patient` as of today."""
    born = str(patient.get("birthDate", ""))
    phones = [one.get("value", "") for one in list_of(patient, "telecom") if one.get("value")]
    deceased = "✓" if patient.get("deceasedBoolean") else ""
    return PersonView(
        id=str(patient["id"]),
        name=person_name(patient),
        sex=str(patient.get("gender", "unknown")),
        born=born,
        age=years_between(born, clock.now().astimezone().date()),
        deceased=day(patient.get("deceasedDateTime")) or deceased,
        phone=" / ".join(dict.fromkeys(phones)),
        address=address_text(first(patient, "address")),
        groups=tuple(dict.fromkeys(_groups(patient, labels))),
    )


def view_identifiers(patient: Resource, labels: Labels) -> list[IdentifierView]:
    """The numbers of `patient` in their order."""
    return [
        IdentifierView(
            label=labels.names.name(identifier, labels.language),
            value=str(identifier.get("value", "")),
            unverified=any(
                extension.get("url") == _NOT_VERIFIED
                for extension in list_of(identifier, "extension")
            ),
        )
        for identifier in list_of(patient, "identifier")
    ]


def _groups(patient: Resource, labels: Labels) -> Iterator[str]:
    """The key populations that the resident belongs to, the general one left out."""
    for extension in list_of(patient, "extension"):
        if extension.get("url") != _KEY_GROUP:
            continue
        for part in list_of(extension, "extension"):
            if part.get("url") == "group" and first(part, "valueCoding", "code") != "general":
                yield labels.coding(part.get("valueCoding"))

"""The record of the generated test: persons with every case of an agreement, and every type of R4.

Today is the 1st of December 2026.  Each person has a resource of each type that can be a person's, by
the first parameter of the compartment; other types have one resource that is of nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from fhir_bridge.fhir import Resource, definitions
from fhir_bridge.search import Registry

__all__ = ["NOW", "PERSONS", "element_path", "resources"]

NOW = datetime(2026, 12, 1, 4, tzinfo=UTC)

PERSONS = {
    "mum": "1985-05-05", "kid13": "2013-05-05", "kid14": "2012-12-01", "niece": "2016-01-01",
    "fa": "1980-01-01", "fb": "1982-02-02", "fkid": "2015-03-03", "left": "1990-09-09",
    "stranger": "1970-07-07", "renewed": "1960-06-06", "today": "1950-05-05", "over": "1951-05-05",
    "none": "1952-05-05", "patient1": "1953-05-05", "patient2": "1954-05-05", "patient3": "1955-05-05",
}  # fmt: skip
"""Ids and dates of birth.  ``patient1`` to ``3`` are referred: now, long ago, not accepted yet."""

_NUMBERS = "https://example.org/numbers"
_ROLES = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
_HOUSEHOLD = "https://fhir-bridge.org/fhir/sid/family-doctor/household"


def resources(registry: Registry) -> Iterator[Resource]:
    """Everything, in no order that matters."""
    for id_, born in PERSONS.items():
        yield {
            "resourceType": "Patient", "id": id_, "birthDate": born, "active": True,
            "identifier": [{"system": _NUMBERS, "value": f"n-{id_}"}],
        }  # fmt: skip
    yield from _relations()
    yield from _agreements()
    yield from _teams()
    yield from _referrals()
    yield from _linked()
    for resource_type in sorted(definitions().resource_types - {"Patient"}):
        path = element_path(registry, resource_type)
        if path is None:
            yield {"resourceType": resource_type, "id": f"{resource_type}-open"}
            continue
        for person in PERSONS:
            made: Resource = {"resourceType": resource_type, "id": f"{resource_type}-{person}"}
            put(made, path, {"reference": f"Patient/{person}"})
            if resource_type == "Observation":
                kind = "laboratory" if len(person) % 2 else "vital-signs"
                made["category"] = [{"coding": [{"code": kind}]}]
                made["performer"] = [{"reference": "Practitioner/doc1"}]
                if person == "stranger":  # names another person, and is not of theirs by that
                    made["focus"] = [{"reference": "Patient/mum"}]
            yield made


def element_path(registry: Registry, resource_type: str) -> tuple[str, ...] | None:
    """Where a type names its patient: the first parameter of the compartment; None where it cannot."""
    for code in registry.compartment(resource_type):
        for part in registry.parameters(resource_type)[code].expression.split("|"):
            text = re.sub(r"\.(where|as)\(.*", "", part.strip())
            if text.startswith(f"{resource_type}."):
                return tuple(text.split(".")[1:])
    return None


def put(resource: Resource, path: tuple[str, ...], value: Any) -> None:
    """Sets an element by its path, in the first item of each list on the way."""
    known, node, place = definitions().types, resource, resource["resourceType"]
    for position, name in enumerate(path):
        element = known[place].elements[name]
        inner: Any = value if position == len(path) - 1 else {}
        if element.is_list:
            node.setdefault(name, [inner])
            node = node[name][0]
        else:
            node.setdefault(name, inner)
            node = node[name]
        place = element.type


def _relations() -> Iterator[Resource]:
    for id_, child, code in (
        ("r13", "kid13", "MTH"), ("r14", "kid14", "MTH"), ("r-niece", "niece", "AUNT"),
    ):  # fmt: skip
        yield {
            "resourceType": "RelatedPerson", "id": id_, "patient": {"reference": f"Patient/{child}"},
            "identifier": [{"system": _NUMBERS, "value": "n-mum"}],
            "relationship": [{"coding": [{"system": _ROLES, "code": code}]}],
        }  # fmt: skip
    yield {
        "resourceType": "Group", "id": "family", "type": "person", "actual": True,
        "identifier": [{"system": _HOUSEHOLD, "value": "h1"}],
        "member": [
            {"entity": {"reference": "Patient/fa"}}, {"entity": {"reference": "Patient/fb"}},
            {"entity": {"reference": "Patient/fkid"}},
            {"entity": {"reference": "Patient/left"}, "inactive": True},
        ],
    }  # fmt: skip


def _agreements() -> Iterator[Resource]:
    year = ("2026-01-01", "2026-12-31")
    for id_, subject, team, status, (start, end) in (
        ("c-mum", "Patient/mum", "T1", "executed", year),
        ("c-kid13", "Patient/kid13", "T1", "executed", year),
        ("c-kid14", "Patient/kid14", "T1", "executed", year),
        ("c-niece", "Patient/niece", "T1", "executed", year),
        ("c-family", "Group/family", "T1", "executed", year),
        ("c-stranger", "Patient/stranger", "T2", "executed", year),
        ("c-renewed-1", "Patient/renewed", "T2", "renewed", ("2025-01-01", "2026-12-31")),
        ("c-renewed-2", "Patient/renewed", "T1", "executed", ("2026-11-01", "2027-10-31")),
        ("c-today", "Patient/today", "T1", "executed", ("2025-12-02", "2026-12-01")),
        ("c-over", "Patient/over", "T1", "executed", ("2025-12-01", "2026-11-30")),
        ("c-soon", "Patient/over", "T1", "executed", ("2026-12-02", "2027-12-01")),
        ("c-p1", "Patient/patient1", "T2", "executed", year),
    ):  # fmt: skip
        yield {
            "resourceType": "Contract", "id": id_, "status": status, "subject": [{"reference": subject}],
            "applies": {"start": start, "end": end},
            "term": [{"action": [{"performer": {"reference": f"CareTeam/{team}"}}]}],
        }  # fmt: skip
    yield {
        "resourceType": "Contract", "id": "c-signed", "status": "offered",
        "subject": [{"reference": "Organization/H1"}],
        "signer": [{"party": {"reference": "Patient/mum"}}],
    }  # fmt: skip


def _teams() -> Iterator[Resource]:
    yield {
        "resourceType": "PractitionerRole", "id": "role3", "active": True,
        "practitioner": {"reference": "Practitioner/doc3"},
    }  # fmt: skip
    for id_, members in (
        ("T1", [("Practitioner/doc1", None), ("Practitioner/doc4", {"end": "2026-11-30"})]),
        ("T2", [("Practitioner/doc2", None), ("PractitionerRole/role3", {"start": "2026-12-01"})]),
    ):  # fmt: skip
        participants = [
            {"member": {"reference": who}} | ({"period": period} if period else {})
            for who, period in members
        ]
        yield {
            "resourceType": "CareTeam",
            "id": id_,
            "status": "active",
            "participant": participants,
        }
    for id_ in ("doc1", "doc2", "doc3", "doc4"):
        yield {"resourceType": "Practitioner", "id": id_}
    for id_ in ("H1", "H2"):
        yield {"resourceType": "Organization", "id": id_}


def _referrals() -> Iterator[Resource]:
    for person, status, period, owner in (
        ("patient1", "completed", {"start": "2026-10-01", "end": "2026-11-01"}, "H1"),
        ("patient2", "completed", {"start": "2026-10-01", "end": "2026-10-31"}, "H1"),
        ("patient3", "requested", {"start": "2026-11-30"}, "H1"),
        ("stranger", "accepted", {"start": "2026-11-30"}, "H2"),
    ):  # fmt: skip
        yield {
            "resourceType": "Task", "id": f"t-{person}", "status": status, "executionPeriod": period,
            "code": {"coding": [{"code": "fulfill"}]}, "for": {"reference": f"Patient/{person}"},
            "owner": {"reference": f"Organization/{owner}"},
        }  # fmt: skip


def _linked() -> Iterator[Resource]:
    for person in ("mum", "fa", "stranger"):
        yield {
            "resourceType": "Binary", "id": f"b-{person}",
            "securityContext": {"reference": f"DocumentReference/DocumentReference-{person}"},
        }  # fmt: skip
        yield {
            "resourceType": "Provenance", "id": f"pv-{person}",
            "target": [{"reference": f"Observation/Observation-{person}"}],
        }  # fmt: skip
        yield {"resourceType": "Schedule", "id": f"sc-{person}"}
        yield {
            "resourceType": "Slot", "id": f"s-{person}",
            "schedule": {"reference": f"Schedule/sc-{person}"},
        }  # fmt: skip
        yield {
            "resourceType": "Appointment", "id": f"a-{person}", "slot": [{"reference": f"Slot/s-{person}"}],
            "participant": [{"actor": {"reference": f"Patient/{person}"}}],
        }  # fmt: skip

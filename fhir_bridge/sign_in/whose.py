"""Whose record a number names, for a binding.

It is a verified number of one Patient, or the staff number of one Practitioner who holds an
office (https://hl7.org/fhir/R4/practitionerrole.html).
"""

from __future__ import annotations

from collections.abc import Iterator

from fhir_bridge.accounts import Binding
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import Resource, parse_json, parse_reference
from fhir_bridge.identity import IdentityRules
from fhir_bridge.search import parse_search, plan
from fhir_bridge.store import Store

__all__ = ["STAFF", "patient_with", "practitioner_with"]

STAFF = "staff"
"""Stands for the system of a staff number in a binding code: the person types the number alone."""


def patient_with(
    store: Store, rules: IdentityRules, number: str, role: str
) -> tuple[str, Binding, Resource]:
    """(system|value, what it binds to, the Patient) of a verified number.

    Raises BridgeError FB-7304 when no Patient has it as a verified one, or more than one has.
    """
    found = [
        (f"{system}|{number}", patient)
        for system, verified in rules.verified.items()
        for patient in _having(store, "Patient", f"{system}|{number}")
        if verified.holds(number, patient)
    ]
    if len(found) != 1:
        raise BridgeError("FB-7304", reason=_NONE if not found else _SEVERAL)
    identifier, patient = found[0]
    return identifier, Binding(role, patient=str(patient["id"])), patient


def practitioner_with(store: Store, number: str, role: str) -> tuple[str, list[Binding], Resource]:
    """(staff|value, what it binds to, the Practitioner) of a staff number, one for each office.

    Raises BridgeError FB-7304 when nobody has it, more than one has, or who has it holds no office.
    """
    found = list(_having(store, "Practitioner", number))
    if len(found) != 1:
        raise BridgeError("FB-7304", reason=_NONE if not found else _SEVERAL)
    practitioner = str(found[0]["id"])
    query = ("practitioner", f"Practitioner/{practitioner}")
    offices = list(_matches(store, "PractitionerRole", query))
    bindings = [
        Binding(role, practitioner=practitioner, organization=_organization(office))
        for office in offices
        if office.get("active", True)
    ]
    if not bindings:
        raise BridgeError("FB-7304", reason="the practitioner holds no office in force")
    return f"{STAFF}|{number}", bindings, found[0]


_NONE = "no record has it as a verified number"
_SEVERAL = "more than one record has it"


def _having(store: Store, resource_type: str, token: str) -> Iterator[Resource]:
    escaped = token.replace("\\", "\\\\").replace(",", "\\,").replace("$", "\\$")
    return _matches(store, resource_type, ("identifier", escaped))


def _matches(store: Store, resource_type: str, query: tuple[str, str]) -> Iterator[Resource]:
    search = parse_search(resource_type, [query], store.registry)
    for match in store.find(plan(search, store.registry)).matches:
        yield parse_json(match.body)


def _organization(office: Resource) -> str:
    reference = parse_reference(str(office.get("organization", {}).get("reference", "")))
    return reference.id if reference is not None and not reference.base else ""

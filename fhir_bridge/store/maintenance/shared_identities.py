"""One number for two: persons that are not linked, and resources about different persons.

The index of identifiers is read in its own order, so that the same number in two resources
lies side by side; only where it does are the bodies read.  A number counts together with
its system.  https://hl7.org/fhir/R4/datatypes.html#Identifier
"""
# ruff: noqa: S608 (SQL is put together from fixed text; every value is a parameter)

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from fhir_bridge.database import Session, unpacked
from fhir_bridge.fhir import Resource, parse_json
from fhir_bridge.search.hashing import posting, value_range
from fhir_bridge.store.maintenance.findings import Findings
from fhir_bridge.store.maintenance.literals import read
from fhir_bridge.store.maintenance.replaced import CURRENT, Replacements, linked, replacing

__all__ = ["ONE_PER_IDENTITY", "AllNumbers", "check_persons", "check_resources"]

ONE_PER_IDENTITY = (
    "AllergyIntolerance",
    "CarePlan",
    "Claim",
    "Composition",
    "Condition",
    "Contract",
    "DiagnosticReport",
    "DocumentReference",
    "Encounter",
    "EpisodeOfCare",
    "FamilyMemberHistory",
    "ImagingStudy",
    "Immunization",
    "MedicationAdministration",
    "MedicationDispense",
    "MedicationRequest",
    "MedicationStatement",
    "Observation",
    "Procedure",
    "QuestionnaireResponse",
    "ServiceRequest",
    "Task",
)
"""Types of which one number in its system is one fact about one person.  A policy (Coverage),
a relative's own number (RelatedPerson), a team, a device or a family's account is not."""

_SUBJECTS = ("subject", "patient", "beneficiary", "for")
_MAX_MEMBERS = 100
"""Holders of one number that are looked at: two are enough to be wrong."""
_MAX_SHOWN = 3


class AllNumbers:
    """The numbers that are personal: here every one in a system and in use."""

    def identifies(self, identifier: Mapping[str, Any], _patient: Resource, /) -> bool:
        """Whether `identifier` is the person's own and nobody else's."""
        return bool(identifier.get("system")) and identifier.get("use") != "old"

    def are_apart(self, _session: Session, _one: str, _other: str, /) -> bool:
        """Whether it was decided already that two Patients are two persons."""
        return False


def check_persons(
    session: Session,
    number: int,
    findings: Findings,
    numbers: AllNumbers,
    own_bases: tuple[str, ...] = (),
) -> None:
    """Notes FB-5026 for each number that two living, unlinked Patients hold.

    `number` is that of the parameter ``Patient.identifier``.
    """
    for hash_, holders in _shared(session, number):
        persons = [each for each in holders if _is_living(each, own_bases)]
        own = [(p, s) for p in persons for s in _systems(p, number, hash_, numbers)]
        links = {p["id"]: {id_ for id_, _ in linked(p, own_bases)} for p, _ in own}
        for place, (person, system) in enumerate(own):
            later = (p["id"] for p, _ in own[place + 1 :])
            strangers = [id_ for id_ in later if not _near(person["id"], id_, links)]
            apart = (numbers.are_apart(session, person["id"], id_) for id_ in strangers)
            others = [id_ for id_, decided in zip(strangers, apart, strict=True) if not decided]
            if others:
                named = _references("Patient", others)
                findings.note("FB-5026", "Patient", person["id"], others=named, system=system)
                break


def check_resources(
    session: Session,
    resource_type: str,
    number: int,
    findings: Findings,
    own_bases: tuple[str, ...] = (),
) -> None:
    """Notes FB-5027 for each number under which resources of a type are about two persons.

    `number` is that of the type's parameter ``identifier``.
    """
    replacements, numbers = Replacements(session, own_bases), AllNumbers()
    for hash_, holders in _shared(session, number):
        about: dict[str, list[Resource]] = {}
        systems: list[str] = []
        for each in holders:
            found = _systems(each, number, hash_, numbers)
            subject = _subject(each, own_bases) if found else ""
            if subject:
                person = replacements.last(subject) or subject
                about.setdefault(person, []).append(each)
                systems += found
        if len(about) > 1:
            first, *rest = (each[0]["id"] for each in about.values())
            named = _references(resource_type, rest)
            findings.note("FB-5027", resource_type, first, others=named, system=systems[0])


def _near(one: str, other: str, links: Mapping[str, set[str]]) -> bool:
    return other in links[one] or one in links[other]


def _references(resource_type: str, ids: list[str]) -> str:
    """The first of `ids` as references, and how many more there are."""
    more = f" (+{len(ids) - _MAX_SHOWN})" if len(ids) > _MAX_SHOWN else ""
    return ", ".join(f"{resource_type}/{id_}" for id_ in ids[:_MAX_SHOWN]) + more


def _shared(session: Session, number: int) -> Iterator[tuple[int, list[Resource]]]:
    """(posting, current holders, oldest first) of each value that more than one row has.

    A row of a replaced version counts until it is collected, so one holder may be left.
    """
    for hash_, _ in session.stream(
        "SELECT hash, count(*) FROM posting WHERE hash BETWEEN ? AND ?"
        " GROUP BY hash HAVING count(*) > 1",
        value_range(number),
    ):
        first = _holders(session, hash_, 1)
        if first and any(_texts(first[0], number, hash_)):
            yield hash_, _holders(session, hash_, _MAX_MEMBERS)


def _holders(session: Session, hash_: int, most: int) -> list[Resource]:
    rows = session.all(
        "SELECT r.compressed, r.body FROM posting p JOIN resource r ON r.row_id = p.row_id"
        f" WHERE p.hash = ? AND {CURRENT} ORDER BY p.date, p.row_id LIMIT ?",
        (hash_, most),
    )
    return [parse_json(unpacked(*row)) for row in rows]


def _identifiers(resource: Resource) -> Iterable[Mapping[str, Any]]:
    stated = resource.get("identifier") or ()
    listed = [stated] if isinstance(stated, dict) else stated
    master = resource.get("masterIdentifier")
    return [master, *listed] if master else listed


def _texts(resource: Resource, number: int, hash_: int) -> Iterator[Mapping[str, Any]]:
    """The identifiers of `resource` whose system and value are what `hash_` stands for."""
    for identifier in _identifiers(resource):
        system, value = identifier.get("system"), identifier.get("value")
        if system and value and posting(number, f"{system}|{value}") == hash_:
            yield identifier


def _systems(resource: Resource, number: int, hash_: int, numbers: AllNumbers) -> list[str]:
    """The system of the number behind `hash_`, when it is the resource's own."""
    found = (each for each in _texts(resource, number, hash_) if numbers.identifies(each, resource))
    return [str(each["system"]) for each in found][:1]


def _is_living(patient: Resource, own_bases: tuple[str, ...]) -> bool:
    return patient.get("active") is not False and replacing(patient, own_bases) is None


def _subject(resource: Resource, own_bases: tuple[str, ...]) -> str:
    """The id of the one Patient that a resource is about, else ""."""
    for name in _SUBJECTS:
        stated = resource.get(name)
        listed = stated if isinstance(stated, list) else [stated]
        for each in listed:
            found = read(str(each.get("reference", "")), own_bases) if each else None
            if found and found.kind == "literal" and found.resource_type == "Patient":
                return found.id
    return ""

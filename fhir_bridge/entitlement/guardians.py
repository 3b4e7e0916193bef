"""Children in somebody's care: through a RelatedPerson with the same number, or in the same family.

https://hl7.org/fhir/R4/relatedperson.html, https://hl7.org/fhir/R4/group.html.  The age that ends it is a
setting; an adult's record is opened to others only by a Consent.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from fhir_bridge.entitlement.agreements import Agreements
from fhir_bridge.entitlement.record import reference_id
from fhir_bridge.fhir import Resource
from fhir_bridge.search import interval

__all__ = ["wards"]

_ADULT = 18
_MAX_RELATIVES = 30


def wards(agreements: Agreements, patient: str, age: int) -> frozenset[str]:
    """The patients younger than `age` for whom the patient answers, whom an agreement covers."""
    guardian = agreements.look.read("Patient", patient)
    if guardian is None:
        return frozenset()
    found = dict.fromkeys([*_related(agreements, guardian), *_of_family(agreements, guardian)])
    found.pop(patient, None)
    young = [each for each in list(found)[:_MAX_RELATIVES] if _is_younger(agreements, each, age)]
    return frozenset(each for each in young if agreements.covers(each))


def _related(agreements: Agreements, guardian: Resource) -> Iterator[str]:
    """Those whom a RelatedPerson with a number of the guardian's is related to as such."""
    numbers = [
        f"{each['system']}|{each['value']}"
        for each in guardian.get("identifier", ())
        if each.get("system") and each.get("value") and "," not in each["value"]
    ]
    if not numbers:
        return
    for person in agreements.look.find("RelatedPerson", (("identifier", ",".join(numbers)),)):
        is_present = person.get("active", True) and agreements.look.is_in(person.get("period"))
        if is_present and _answers(person, agreements.conditions.guardians):
            yield reference_id(person.get("patient"), "Patient")


def _answers(person: Resource, guardians: frozenset[str]) -> bool:
    """Whether the relationship is one of those who answer for a child."""
    codings = (each for one in person.get("relationship", ()) for each in one.get("coding", ()))
    return any(f"{each.get('system', '')}|{each.get('code', '')}" in guardians for each in codings)


def _of_family(agreements: Agreements, guardian: Resource) -> Iterator[str]:
    """The members of the families of an adult."""
    if _born_after(agreements, guardian, _ADULT) is not False:
        return
    for family in agreements.families(guardian["id"]):
        for member in family.get("member", ()):
            if not member.get("inactive") and agreements.look.is_in(member.get("period")):
                yield reference_id(member.get("entity"), "Patient")


def _is_younger(agreements: Agreements, patient: str, age: int) -> bool:
    found = agreements.look.read("Patient", patient) if patient else None
    return found is not None and _born_after(agreements, found, age) is True


def _born_after(agreements: Agreements, patient: Resource, age: int) -> bool | None:
    """Whether a person is younger than `age` on the day; None where the date does not tell."""
    zone, day = agreements.look.store.registry.zone, agreements.look.day
    born = interval(str(patient.get("birthDate", "")), zone)
    limit = interval(_years_before(day, age).isoformat(), zone)
    if born is None or limit is None:
        return None
    if born[0] > limit[1]:
        return True
    return False if born[1] <= limit[1] else None


def _years_before(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year - years)
    except ValueError:  # the 29th of February
        return day.replace(year=day.year - years, day=28)

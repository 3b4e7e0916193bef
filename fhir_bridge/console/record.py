"""One resident on one screen: gathers what the record knows of a Patient.

A page costs a bounded number of searches, whatever the size of the record.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from fhir_bridge import clock
from fhir_bridge.console.contract_view import named, view_contract
from fhir_bridge.console.display import (
    address_text,
    codes_of,
    concept_text,
    day,
    first,
    list_of,
    minute,
    person_name,
    quantity_text,
    years_between,
)
from fhir_bridge.console.identifier_names import IdentifierNames
from fhir_bridge.console.language import Words
from fhir_bridge.console.plot import plot_pressure
from fhir_bridge.console.reader import Reader
from fhir_bridge.console.terms import Terms
from fhir_bridge.fhir import Resource

__all__ = ["Known", "gather"]

_KEY_GROUP = "https://fhir-bridge.org/fhir/StructureDefinition/key-population"
_NOT_VERIFIED = "https://fhir-bridge.org/fhir/StructureDefinition/identifier-not-verified"
_REFERRING = "https://fhir-bridge.org/fhir/StructureDefinition/referring-organization"
_DIRECTION = "https://fhir-bridge.org/fhir/StructureDefinition/referral-direction"

_REFERRAL = "3457005"
_PRESSURE, _SYSTOLIC, _DIASTOLIC = "85354-9", "8480-6", "8462-4"
_SHOWN_RESULTS, _READ_RESULTS, _LONGEST_VALUE = 40, 200, 12
_CLASSES = {
    "IMP": "inpatient",
    "AMB": "outpatient",
    "HH": "home",
    "VR": "virtual",
    "EMER": "emergency",
}


@dataclass(frozen=True, slots=True)
class Person:
    """Who the resident is."""

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
class Item:
    """One line of a list: a name, when, and where it leads; the rest as the list needs it."""

    reference: str
    name: str
    when: str = ""
    value: str = ""
    range: str = ""
    flag: str = ""
    status: str = ""
    status_text: str = ""
    from_to: str = ""
    reason: str = ""
    kind: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """What a page knows beside the record: words, names of codes, identifiers and feeds.

    `feeds`: name -> (title, kind of source).
    """

    words: Words
    terms: Terms
    names: IdentifierNames
    feeds: dict[str, tuple[str, str]]


def gather(patient: Resource, reader: Reader, known: Known) -> dict[str, Any]:
    """Everything that ``record.html`` shows."""
    terms, words = known.terms, known.words
    subject = ("subject", f"Patient/{patient['id']}")
    mine = ("patient", str(patient["id"]))
    observations = reader.find("Observation", subject, ("_sort", "-date"), most=_READ_RESULTS)
    contracts = reader.find("Contract", subject, most=10)
    contracts.sort(key=lambda one: first(one, "applies", "start") or "", reverse=True)
    measured = [_result(one, known) for one in observations if _is_result(one)]
    results = _merged(measured)[:_SHOWN_RESULTS]
    language = words.language
    return {
        "person": _person(patient, terms, words),
        "identifiers": list(_identifiers(patient, known.names, language)),
        "contracts": [
            view_contract(one, reader, terms, _status(words, one), language) for one in contracts
        ],
        "teams": list(_teams(patient, contracts, reader, terms, language)),
        "plot": plot_pressure(list(_pressures(observations))),
        "results": results,
        "results_left": len(measured) - len(results),
        "sources": list(_sources(reader, f"Patient/{patient['id']}", known.feeds)),
        "referrals": [
            _referral(one, reader, terms, words)
            for one in reader.find("ServiceRequest", mine, ("_sort", "-authored"))
            if _is_referral(one)
        ],
        "conditions": _merged(
            _item(one, terms.concept(one.get("code"), language), first_of(one, "onsetDateTime", "recordedDate"))
            for one in reader.find("Condition", mine, ("_sort", "-recorded-date"))
        ),
        "encounters": [
            _encounter(one, reader, known)
            for one in reader.find("Encounter", mine, ("_sort", "-date"), most=20)
        ],
        "tasks": [
            _item(one, _task_name(one, terms, language), first(one, "executionPeriod", "start") or one.get("authoredOn"))
            for one in reader.find("Task", mine, ("_sort", "-authored-on"), most=20)
        ],
        "vaccinations": [
            _item(one, terms.concept(one.get("vaccineCode"), language), one.get("occurrenceDateTime"))
            for one in reader.find("Immunization", mine, ("_sort", "-date"))
        ],
        "documents": list(_documents(reader, mine)),
    }  # fmt: skip


def first_of(resource: Resource, *keys: str) -> str:
    """The first of these elements that is there."""
    return next((str(resource[key]) for key in keys if resource.get(key)), "")


def _person(patient: Resource, terms: Terms, words: Words) -> Person:
    groups = [
        terms.coding(part.get("valueCoding"), words.language)
        for extension in list_of(patient, "extension")
        if extension.get("url") == _KEY_GROUP
        for part in list_of(extension, "extension")
        if part.get("url") == "group" and first(part, "valueCoding", "code") != "general"
    ]
    phones = [one.get("value", "") for one in list_of(patient, "telecom") if one.get("value")]
    today = clock.now().astimezone().date()
    born = str(patient.get("birthDate", ""))
    return Person(
        id=str(patient["id"]),
        name=person_name(patient),
        sex=str(patient.get("gender", "unknown")),
        born=born,
        age=years_between(born, today),
        deceased=day(patient.get("deceasedDateTime")) or ("✓" if patient.get("deceasedBoolean") else ""),
        phone=" / ".join(dict.fromkeys(phones)),
        address=address_text(first(patient, "address")),
        groups=tuple(dict.fromkeys(groups)),
    )  # fmt: skip


def _identifiers(
    patient: Resource, names: IdentifierNames, language: str
) -> Iterable[dict[str, Any]]:
    for identifier in list_of(patient, "identifier"):
        yield {
            "label": names.name(identifier, language),
            "value": identifier.get("value", ""),
            "unverified": any(
                extension.get("url") == _NOT_VERIFIED
                for extension in list_of(identifier, "extension")
            ),
        }


def _teams(
    patient: Resource, contracts: list[Resource], reader: Reader, terms: Terms, language: str
) -> Iterable[dict[str, Any]]:
    """The rosters that the agreements, or the resident's doctors, lead to."""
    found: dict[str, Resource] = {}
    for reference in _team_references(contracts):
        team = reader.target(reference)
        if team is not None and team["resourceType"] == "CareTeam":
            found[str(team["id"])] = team
    if not found:
        for doctor in list_of(patient, "generalPractitioner"):
            for team in reader.find(
                "CareTeam", ("participant", str(doctor.get("reference", ""))), most=3
            ):
                found[str(team["id"])] = team
    for team in found.values():
        yield {
            "reference": f"CareTeam/{team['id']}",
            "name": team.get("name", team["id"]),
            "members": [
                _member(one, reader, terms, language) for one in list_of(team, "participant")
            ],
        }


def _team_references(contracts: list[Resource]) -> Iterable[dict[str, Any]]:
    for contract in contracts:
        for term in list_of(contract, "term"):
            for action in list_of(term, "action"):
                yield from list_of(action, "performer")
        for extension in list_of(contract, "extension"):
            yield from list_of(extension, "valueReference")


def _member(
    participant: dict[str, Any], reader: Reader, terms: Terms, language: str
) -> dict[str, str]:
    roles = [terms.concept(role, language) for role in list_of(participant, "role")]
    member = named(participant.get("member"), reader)
    return {
        "name": member.text,
        "reference": member.reference,
        "role": " · ".join(filter(None, roles)),
    }


def _pressures(observations: list[Resource]) -> Iterable[tuple[date, float, float]]:
    for observation in observations:
        if _PRESSURE not in codes_of(observation.get("code")):
            continue
        values: dict[str, float] = {}
        for component in list_of(observation, "component"):
            for code in codes_of(component.get("code")) & {_SYSTOLIC, _DIASTOLIC}:
                value = first(component, "valueQuantity", "value")
                if value is not None:
                    values[code] = float(value)
        when = day(observation.get("effectiveDateTime"))
        if len(values) == 2 and len(when) == 10:
            yield date.fromisoformat(when), values[_SYSTOLIC], values[_DIASTOLIC]


def _is_result(observation: Resource) -> bool:
    """A measured or coded finding; blood pressure has its plot, narrative its document."""
    if observation.get("status") == "entered-in-error":
        return False
    if _PRESSURE in codes_of(observation.get("code")):
        return False
    return len(str(observation.get("valueString", ""))) <= _LONGEST_VALUE


def _result(observation: Resource, known: Known) -> Item:
    flags = {code for one in list_of(observation, "interpretation") for code in codes_of(one)}
    limits = first(observation, "referenceRange") or {}
    low, high = first(limits, "low", "value"), first(limits, "high", "value")
    written = limits.get("text") or (
        f"{low} – {high}" if low is not None or high is not None else ""
    )
    when = first_of(observation, "effectiveDateTime", "issued") or first(
        observation, "effectivePeriod", "start"
    )
    return _item(
        observation,
        known.terms.concept(observation.get("code"), known.words.language),
        when,
        value=_value(observation, known),
        range=str(written),
        flag="high" if flags & {"H", "HH"} else "low" if flags & {"L", "LL"} else "",
    )


def _value(observation: Resource, known: Known) -> str:
    """The value of an Observation or of one of its components."""
    language = known.words.language
    if "valueQuantity" in observation:
        return quantity_text(observation["valueQuantity"])
    if "valueCodeableConcept" in observation:
        return known.terms.concept(observation["valueCodeableConcept"], language)
    if "component" in observation:
        parts = [
            f"{known.terms.concept(part.get('code'), language)} {_value(part, known)}"
            for part in list_of(observation, "component")
        ]
        return "; ".join(parts)
    for key, value in observation.items():
        if key.startswith("value") and not isinstance(value, dict | list):
            return str(value)
    return known.terms.concept(observation.get("dataAbsentReason"), language) or "–"


def _is_referral(one: Resource) -> bool:
    """Not an order for a test: by its category, or because it has a direction."""
    directed = any(extension.get("url") == _DIRECTION for extension in list_of(one, "extension"))
    categories = {code for category in list_of(one, "category") for code in codes_of(category)}
    return directed or _REFERRAL in categories


def _referral(one: Resource, reader: Reader, terms: Terms, words: Words) -> Item:
    sender, direction = "", ""
    for extension in list_of(one, "extension"):
        if extension.get("url") == _REFERRING:
            sender = named(extension.get("valueReference"), reader).text
        if extension.get("url") == _DIRECTION:
            system = "https://fhir-bridge.org/fhir/CodeSystem/referral-direction"
            coding = {"system": system, "code": extension.get("valueCode")}
            direction = terms.coding(coding, words.language)
    sender = sender or named(one.get("requester"), reader).text
    receiver = named(first(one, "performer"), reader).text
    reasons = [terms.concept(reason, words.language) for reason in list_of(one, "reasonCode")]
    return _item(
        one,
        direction,
        one.get("authoredOn"),
        from_to=" → ".join(filter(None, (sender, receiver))) or direction or str(one["id"]),
        reason=" · ".join(filter(None, [direction, *reasons])),
        status=str(one.get("status", "")),
        status_text=_status(words, one),
    )


def _encounter(one: Resource, reader: Reader, known: Known) -> Item:
    words, terms = known.words, known.terms
    kind = _CLASSES.get(str(first(one, "class", "code") or ""), "")
    what = terms.concept(first(one, "type"), words.language)
    place = (
        named(first(one, "location", "location"), reader).text
        or terms.concept(first(one, "serviceType"), words.language)
        or named(one.get("serviceProvider"), reader).text
    )
    period = one.get("period") or {}
    return _item(
        one,
        "",
        period.get("start"),
        kind=words(kind) if kind else what or str(one.get("status", "")),
        place=" · ".join(filter(None, (what if kind else "", place))),
    )


def _documents(reader: Reader, mine: tuple[str, str]) -> Iterable[Item]:
    for one in reader.find("DocumentReference", mine, ("_sort", "-date")):
        yield _item(
            one, str(one.get("description") or concept_text(one.get("type"))), one.get("date")
        )
    for one in reader.find("Composition", mine, ("_sort", "-date")):
        yield _item(one, str(one.get("title") or concept_text(one.get("type"))), one.get("date"))


def _sources(
    reader: Reader, target: str, feeds: dict[str, tuple[str, str]]
) -> Iterable[dict[str, str]]:
    """The feeds whose messages made or changed the Patient, each with its last message."""
    by_feed: dict[str, list[Resource]] = {}
    for one in reader.find("Provenance", ("target", target), most=100):
        name = str(first(one, "agent", "who", "identifier", "value") or "")
        by_feed.setdefault(name, []).append(one)
    for name, messages in by_feed.items():
        messages.sort(key=lambda one: str(one.get("recorded", "")))
        title, kind = feeds.get(name, (first(messages[-1], "agent", "who", "display") or name, ""))
        yield {
            "name": str(title),
            "kind": kind,
            "recorded": minute(messages[-1].get("recorded")),
            "reference": f"Provenance/{messages[-1]['id']}",
            "messages": f"× {len(messages)}",
        }


def _merged(items: Iterable[Item]) -> list[Item]:
    """Lines of the same name once, the first one (the newest) standing for them."""
    found: dict[str, Item] = {}
    for item in items:
        found.setdefault(item.name, item)
    return list(found.values())


def _task_name(task: Resource, terms: Terms, language: str) -> str:
    return terms.concept(task.get("code"), language) or str(task.get("description") or "")


def _status(words: Words, resource: Resource) -> str:
    status = str(resource.get("status", ""))
    return words.get(f"status_{status}", status)


def _item(resource: Resource, name: str, when: Any, **more: str) -> Item:
    reference = f"{resource['resourceType']}/{resource['id']}"
    return Item(reference, name or reference, day(when if isinstance(when, str) else ""), **more)

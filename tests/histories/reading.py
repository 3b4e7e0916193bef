"""What a client reads of each thing of a history, in the words of the events.

One function a kind of thing; each gives element → value as FHIR has it.  `None` where the
record says nothing.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator
from typing import Any

from tests.histories.client import Follower, Resource
from tests.histories.numbers import Numbers
from tests.histories.words import EVENT_REASON

__all__ = ["View"]

_GONE = ("entered-in-error",)


class View:
    """The record as it is, asked for by the numbers of a history."""

    def __init__(self, follower: Follower, numbers: Numbers) -> None:
        self._follower = follower
        self._numbers = numbers
        self._by_number: dict[tuple[str, str], list[Resource]] = {}
        for resource in follower.resources.values():
            for number in set(_numbers_of(resource)):
                self._by_number.setdefault((resource["resourceType"], number), []).append(resource)

    def found(self, kind: str, symbol: str) -> list[Resource]:
        """The resources of a kind that carry a number."""
        return self._by_number.get((kind, self._numbers.of(symbol)), [])

    def survivor(self, patient: Resource) -> Resource:
        """The Patient that stands for this one: where ``replaced-by`` leads."""
        for _ in range(20):
            others = [
                each["other"]["reference"]
                for each in patient.get("link", ())
                if each["type"] == "replaced-by"
            ]
            following = self._follower.resource(others[0]) if others else None
            if following is None:
                return patient
            patient = following
        return patient

    def owner(self, resource: Resource) -> str | None:
        """The id of the person whom a resource is about now."""
        for name in ("subject", "patient"):
            if name in resource:
                subject = resource[name]
                break
        else:
            return None
        patient = self._follower.resource(_first(subject).get("reference", ""))
        return None if patient is None else self.survivor(patient)["id"]

    # --- persons ----------------------------------------------------------------------

    def person(self, patient: Resource) -> dict[str, Any]:
        """What is said of a person; names, telephones and addresses in their order."""
        return {
            "name": [text for each in patient.get("name", ()) if (text := each.get("text"))],
            "born": patient.get("birthDate"),
            "sex": None if patient.get("gender") == "unknown" else patient.get("gender"),
            "phones": [each.get("value") for each in patient.get("telecom", ())],
            "address": [each.get("text") for each in patient.get("address", ())],
            "marital": _code(patient.get("maritalStatus")),
        }

    # --- things -----------------------------------------------------------------------

    def visit(self, symbol: str) -> list[Resource]:
        """Each Encounter with this number."""
        return [
            {
                "status": each["status"],
                "class": each["class"].get("code"),
                "bed": self._beds(each),
                "doctor": self._doctor(each),
                "admitted": each.get("period", {}).get("start"),
                "discharged": each.get("period", {}).get("end"),
                "service": _code(each.get("serviceType")),
                "subject": self.owner(each),
            }
            for each in self.found("Encounter", symbol)
        ]

    def order(self, symbol: str) -> list[Resource]:
        """Each ServiceRequest with this number."""
        return [
            {
                "status": each["status"],
                "note": [note["text"] for note in each.get("note", ())] or None,
                "requester": self._staff(each.get("requester")),
                "authored": each.get("authoredOn"),
                "priority": each.get("priority"),
                "subject": self.owner(each),
            }
            for each in self.found("ServiceRequest", symbol)
        ]

    def report(self, symbol: str) -> list[Resource]:
        """Each DiagnosticReport of an order."""
        return [
            {"status": each["status"], "subject": self.owner(each)}
            for each in self.found("DiagnosticReport", symbol)
        ]

    def result(self, symbol: str, code: str) -> list[Resource]:
        """Each Observation of an order with a code."""
        number = self._numbers.of(symbol)
        return [
            {
                "status": each["status"],
                "value": _text(each.get("valueQuantity", {}).get("value")),
                "flag": _code(_first(each.get("interpretation"))),
                "subject": self.owner(each),
            }
            for each in self._follower.all("Observation")
            if _code(each.get("code")) == code
            and any(number in value for value in _numbers_of(each))
        ]

    def document(self, symbol: str) -> list[Resource]:
        """Each DocumentReference with this number."""
        return [
            {
                "status": each["status"],
                "about": _code(each.get("type")),
                "author": self._staff(_first(each.get("author"))),
                "text": _content(each),
                "docstatus": each.get("docStatus"),
                "subject": self.owner(each),
            }
            for each in self.found("DocumentReference", symbol)
        ]

    def appointment(self, symbol: str) -> list[Resource]:
        """Each Appointment with this number."""
        return [
            {
                "status": each["status"],
                "start": each.get("start"),
                "reason": _reason(each),
                "comment": each.get("comment"),
                "subject": self._attending(each),
            }
            for each in self.found("Appointment", symbol)
        ]

    def agreement(self, symbol: str) -> list[Resource]:
        """Each Contract with this number."""
        return [
            {
                "state": each.get("status"),
                "from": each.get("applies", {}).get("start"),
                "packages": tuple(sorted(_packages(each))),
                "subject": self.owner(each),
            }
            for each in self.found("Contract", symbol)
        ]

    def file(self, symbol: str) -> list[Resource]:
        """What stands in a health file."""
        number = self._numbers.of(symbol)

        def standing(kind: str) -> tuple[str, ...]:
            return tuple(
                sorted(
                    each["code"]["text"]
                    for each in self._follower.all(kind)
                    if any(number in value for value in _numbers_of(each))
                    and _code(each.get("verificationStatus")) not in _GONE
                    and _code(each.get("clinicalStatus")) == "active"
                )
            )

        return [{"diseases": standing("Condition"), "allergies": standing("AllergyIntolerance")}]

    def allergies(self, symbol: str) -> list[Resource]:
        """What a hospital says that a person cannot stand."""
        number = self._numbers.of(symbol)
        found = [
            str(_code(each.get("code"))).lower()
            for each in self._follower.all("AllergyIntolerance")
            if any(number in value for value in _numbers_of(each))
            and _code(each.get("verificationStatus")) not in _GONE
        ]
        return [{"allergies": tuple(sorted(found))}]

    # --- parts ------------------------------------------------------------------------

    def _beds(self, encounter: Resource) -> str | None:
        """The places where the patient is: not where they were or will be."""
        names = []
        for each in encounter.get("location", ()):
            if each.get("status", "active") == "active":
                place = self._follower.resource(each["location"].get("reference", ""))
                names.append(place["name"] if place else each["location"].get("display"))
        return ", ".join(names) or None

    def _doctor(self, encounter: Resource) -> str | None:
        found = [
            self._staff(each.get("individual"))
            for each in encounter.get("participant", ())
            if _code(_first(each.get("type"))) == "ATND"
        ]
        return ", ".join(str(each) for each in found) or None

    def _staff(self, reference: Resource | None) -> str | None:
        """The number of the member of staff that a reference leads to."""
        if reference is None:
            return None
        person = self._follower.resource(reference.get("reference", ""))
        numbers = person.get("identifier", ()) if person else ()
        return numbers[0]["value"] if numbers else reference.get("display")

    def _attending(self, appointment: Resource) -> str | None:
        for each in appointment.get("participant", ()):
            reference = each.get("actor", {}).get("reference", "")
            if reference.startswith("Patient/"):
                patient = self._follower.resource(reference)
                return None if patient is None else self.survivor(patient)["id"]
        return None


def _numbers_of(resource: Resource) -> Iterator[str]:
    listed = resource.get("identifier", ())
    for each in listed if isinstance(listed, list | tuple) else [listed]:
        if "value" in each:
            yield each["value"]


def _reason(appointment: Resource) -> str | None:
    """Of the appointment; the event's own only stands in."""
    text = (_first(appointment.get("reasonCode")) or {}).get("text")
    return None if text == EVENT_REASON else text


def _first(value: Any) -> Any:
    return (value[0] if value else None) if isinstance(value, list) else value


def _code(concept: Resource | None) -> str | None:
    codings = (concept or {}).get("coding", ())
    return codings[0].get("code") if codings else None


def _text(number: Any) -> str | None:
    return None if number is None else str(number)


def _content(document: Resource) -> str | None:
    for each in document.get("content", ()):
        if "data" in each["attachment"]:
            return b64decode(each["attachment"]["data"]).decode()
    return None


def _packages(contract: Resource) -> Iterator[str]:
    for term in contract.get("term", ()):
        for asset in term.get("asset", ()):
            for kind in asset.get("subtype", ()):
                yield str(_code(kind))

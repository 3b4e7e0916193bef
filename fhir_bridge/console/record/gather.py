"""One resident on one screen: gathers what the record knows of a Patient.

A page costs a bounded number of searches, whatever the size of the record.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fhir_bridge.console.reader import Reader
from fhir_bridge.console.record.contract import ContractView, view_contract
from fhir_bridge.console.record.encounter import view_encounter
from fhir_bridge.console.record.labels import Labels
from fhir_bridge.console.record.line import Line, line, newest_of_each_name
from fhir_bridge.console.record.person import view_identifiers, view_person
from fhir_bridge.console.record.plot import plot_pressure
from fhir_bridge.console.record.referral import is_referral, view_referral
from fhir_bridge.console.record.result import pressures, view_results
from fhir_bridge.console.record.source import view_sources
from fhir_bridge.console.record.team import view_teams
from fhir_bridge.console.text.display import concept_text, first, first_of
from fhir_bridge.fhir import Resource

__all__ = ["gather"]

_MAX_RESULTS = 200


def gather(patient: Resource, reader: Reader, labels: Labels) -> dict[str, Any]:
    """Everything that ``record.html`` shows."""
    target = f"Patient/{patient['id']}"
    subject, mine = ("subject", target), ("patient", str(patient["id"]))
    observations = reader.find("Observation", subject, ("_sort", "-date"), most=_MAX_RESULTS)
    contracts = reader.find("Contract", subject, most=10)
    contracts.sort(key=lambda one: first(one, "applies", "start") or "", reverse=True)
    results, results_left = view_results(observations, labels)
    requests = reader.find("ServiceRequest", mine, ("_sort", "-authored"))
    encounters = reader.find("Encounter", mine, ("_sort", "-date"), most=20)
    return {
        "person": view_person(patient, labels),
        "identifiers": view_identifiers(patient, labels),
        "contracts": [_contract(one, reader, labels) for one in contracts],
        "teams": view_teams(patient, contracts, reader, labels),
        "plot": plot_pressure(list(pressures(observations))),
        "results": results,
        "results_left": results_left,
        "sources": view_sources(target, reader, labels),
        "referrals": [view_referral(one, reader, labels) for one in requests if is_referral(one)],
        "conditions": newest_of_each_name(_conditions(reader, mine, labels)),
        "encounters": [view_encounter(one, reader, labels) for one in encounters],
        "tasks": list(_tasks(reader, mine, labels)),
        "vaccinations": list(_vaccinations(reader, mine, labels)),
        "documents": list(_documents(reader, mine)),
    }


def _contract(contract: Resource, reader: Reader, labels: Labels) -> ContractView:
    return view_contract(contract, reader, labels.terms, labels.status(contract), labels.language)


def _conditions(reader: Reader, mine: tuple[str, str], labels: Labels) -> Iterator[Line]:
    for one in reader.find("Condition", mine, ("_sort", "-recorded-date")):
        when = first_of(one, "onsetDateTime", "recordedDate")
        yield line(one, labels.concept(one.get("code")), when)


def _tasks(reader: Reader, mine: tuple[str, str], labels: Labels) -> Iterator[Line]:
    for one in reader.find("Task", mine, ("_sort", "-authored-on"), most=20):
        name = labels.concept(one.get("code")) or str(one.get("description") or "")
        yield line(one, name, first(one, "executionPeriod", "start") or one.get("authoredOn"))


def _vaccinations(reader: Reader, mine: tuple[str, str], labels: Labels) -> Iterator[Line]:
    for one in reader.find("Immunization", mine, ("_sort", "-date")):
        yield line(one, labels.concept(one.get("vaccineCode")), one.get("occurrenceDateTime"))


def _documents(reader: Reader, mine: tuple[str, str]) -> Iterator[Line]:
    for resource_type, title in (("DocumentReference", "description"), ("Composition", "title")):
        for one in reader.find(resource_type, mine, ("_sort", "-date")):
            yield line(one, str(one.get(title) or concept_text(one.get("type"))), one.get("date"))

"""One resident on one screen: gathers what the record knows of a Patient.

A page costs a bounded number of searches, whatever the size of the record.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fhir_bridge.console.contract_view import ContractView, view_contract
from fhir_bridge.console.display import concept_text, first, first_of
from fhir_bridge.console.encounter_view import view_encounter
from fhir_bridge.console.known import Known
from fhir_bridge.console.line import Line, line, newest_of_each_name
from fhir_bridge.console.person_view import view_identifiers, view_person
from fhir_bridge.console.plot import plot_pressure
from fhir_bridge.console.reader import Reader
from fhir_bridge.console.referral_view import is_referral, view_referral
from fhir_bridge.console.result_view import pressures, view_results
from fhir_bridge.console.source_view import view_sources
from fhir_bridge.console.team_view import view_teams
from fhir_bridge.fhir import Resource

__all__ = ["gather"]

_READ_RESULTS = 200


def gather(patient: Resource, reader: Reader, known: Known) -> dict[str, Any]:
    """Everything that ``record.html`` shows."""
    target = f"Patient/{patient['id']}"
    subject, mine = ("subject", target), ("patient", str(patient["id"]))
    observations = reader.find("Observation", subject, ("_sort", "-date"), most=_READ_RESULTS)
    contracts = reader.find("Contract", subject, most=10)
    contracts.sort(key=lambda one: first(one, "applies", "start") or "", reverse=True)
    results, results_left = view_results(observations, known)
    requests = reader.find("ServiceRequest", mine, ("_sort", "-authored"))
    encounters = reader.find("Encounter", mine, ("_sort", "-date"), most=20)
    return {
        "person": view_person(patient, known),
        "identifiers": view_identifiers(patient, known),
        "contracts": [_contract(one, reader, known) for one in contracts],
        "teams": view_teams(patient, contracts, reader, known),
        "plot": plot_pressure(list(pressures(observations))),
        "results": results,
        "results_left": results_left,
        "sources": view_sources(target, reader, known),
        "referrals": [view_referral(one, reader, known) for one in requests if is_referral(one)],
        "conditions": newest_of_each_name(_conditions(reader, mine, known)),
        "encounters": [view_encounter(one, reader, known) for one in encounters],
        "tasks": list(_tasks(reader, mine, known)),
        "vaccinations": list(_vaccinations(reader, mine, known)),
        "documents": list(_documents(reader, mine)),
    }


def _contract(contract: Resource, reader: Reader, known: Known) -> ContractView:
    return view_contract(contract, reader, known.terms, known.status(contract), known.language)


def _conditions(reader: Reader, mine: tuple[str, str], known: Known) -> Iterator[Line]:
    for one in reader.find("Condition", mine, ("_sort", "-recorded-date")):
        when = first_of(one, "onsetDateTime", "recordedDate")
        yield line(one, known.concept(one.get("code")), when)


def _tasks(reader: Reader, mine: tuple[str, str], known: Known) -> Iterator[Line]:
    for one in reader.find("Task", mine, ("_sort", "-authored-on"), most=20):
        name = known.concept(one.get("code")) or str(one.get("description") or "")
        yield line(one, name, first(one, "executionPeriod", "start") or one.get("authoredOn"))


def _vaccinations(reader: Reader, mine: tuple[str, str], known: Known) -> Iterator[Line]:
    for one in reader.find("Immunization", mine, ("_sort", "-date")):
        yield line(one, known.concept(one.get("vaccineCode")), one.get("occurrenceDateTime"))


def _documents(reader: Reader, mine: tuple[str, str]) -> Iterator[Line]:
    for resource_type, title in (("DocumentReference", "description"), ("Composition", "title")):
        for one in reader.find(resource_type, mine, ("_sort", "-date")):
            yield line(one, str(one.get(title) or concept_text(one.get("type"))), one.get("date"))

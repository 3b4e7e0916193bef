"""The code rows of HL7's v2-to-FHIR guide that name another code or system than the sent one.

https://build.fhir.org/ig/HL7/v2-to-fhir/concept_maps.html

A table that we translate by a ConceptMap is judged by it; one that our maps treat by a rule
is judged by what a message becomes.  A row that asks for nothing (the code as sent, in its
own table) is no case.  Rows that we read in another way on purpose stand in the register of
exclusions with their reasons and count as skipped.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fhir_bridge import fhirpath
from fhir_bridge.artifacts import Artifacts
from fhir_bridge.ingest import Feed, convert, load_feeds
from fhir_bridge.transform import Library
from tests.conformance.result import Result, exclusions

_URL = "https://fhir-bridge.org/fhir/ConceptMap/"
_MAPS = {
    "AdministrationMethod": "v2-0165-method",
    "AdministrativeSex": "v2-0001-gender",
    "AllergySeverity[AllergyIntolerance.reaction.severity]": "v2-0128-severity",
    "AddressType[Use]": "v2-0190-address-use",
    "AmbulatoryStatus": "v2-0009-arrangement",
    "AppointmentReasonCodes": "v2-0276-reason",
    "CompletionStatus": "v2-0322-immunization-status",
    "EncounterPriority": "v2-0217-priority",
    "Event[EncounterStatus]": "v2-0003-encounter-status",
    "ExtendedPriorityCodes": "v2-0027-request-priority",
    "FillerStatusCodes[Appointment]": "v2-0278-appointment-status",
    "InterpretationCodes": "v2-0078-interpretation",
    "MaritalStatus": "v2-0002-marital-status",
    "NameType": "v2-0200-name-use",
    "ObservationResultStatusCodesInterpretation": "v2-0085-observation-status",
    "OrderControlCode[ServiceRequest.status]": "v2-0119-request-status",
    "OrderStatus": "v2-0038-request-status",
    "PatientClass[EncounterClass]": "v2-0004-encounter-class",
    "ProviderRole": "v2-0443-role",
    "Relationship": "v2-0063-relationship",
    "Religion": "v2-0006-religion",
    "RepeatPattern": "v2-0335-pattern",
    "ResultStatus[Non-Queries]": "v2-0123-report-status",
    "RouteOfAdministration": "v2-0162-route",
    "SpecimenCollectionMethod": "v2-0488-method",
    "TelecommunicationEquipmentType": "v2-0202-contact-system",
    "TelecommunicationUseCode": "v2-0201-contact-use",
}
_HEAD = "MSH|^~\\&|HIS|WEST|HUB|HUB|20260101120000||ADT^A08|1|P|2.5\r"
_PERSON = "PID|1||77^^^WEST^MR||WANG^LI|||F|||"
_ALLERGY = f"{_HEAD}{_PERSON}\rAL1|1|"
_SPECIMEN = "SPM|1|S1||BLD||||||||||||||||{}\rOBR|1|P1|F1|X^x\rOBX|1|ST|Y^y||z||||||F\r"
_PATIENT, _INTOLERANCE = (
    "entry.resource.ofType(Patient)",
    "entry.resource.ofType(AllergyIntolerance)",
)
_MESSAGES = {
    "TelecommunicationEquipmentType CP": (
        f"{_HEAD}{_PERSON}||^PRN^{{}}^^^^5551234\r",
        f"{_PATIENT}.telecom.use",
    ),
    "YesNoIndicator[AvailabilityStatus]": (
        f"{_HEAD.replace('ADT^A08', 'OUL^R22')}{_PERSON}\r{_SPECIMEN}",
        "entry.resource.ofType(Specimen).status",
    ),
    "AddressType[Type]": (f"{_HEAD}{_PERSON}Main^^Town^^^^{{}}\r", f"{_PATIENT}.address.type"),
    "CountryCode": (f"{_HEAD}{_PERSON}Main^^Town^^^{{}}\r", f"{_PATIENT}.address.country"),
    "AllergenType[AllergyIntoleranceCategory]": (
        f"{_ALLERGY}{{}}|X^x\r",
        f"{_INTOLERANCE}.category",
    ),
    "AllergyType": (f"{_ALLERGY}{{}}|X^x\r", f"{_INTOLERANCE}.type"),
    "AllergySeverity[AllergyIntolerance.criticality]": (
        f"{_ALLERGY}DA|X^x|{{}}\r",
        f"{_INTOLERANCE}.criticality",
    ),
    "PatientClass[EncounterStatus]": (
        f"{_HEAD}{_PERSON}\rPV1|1|{{}}\r",
        "entry.resource.ofType(Encounter).status",
    ),
}


def run(tree: Path) -> Iterator[Result]:
    """One result per row of `tree`/v2-to-fhir-ig/code-map-rows.ndjson that needs a map."""
    library = Library.from_artifacts(Artifacts())
    feeds = load_feeds(Artifacts())
    excluded = exclusions("hl7v2")
    lines = (tree / "v2-to-fhir-ig" / "code-map-rows.ndjson").read_text(encoding="utf-8")
    for row in map(json.loads, lines.splitlines()):
        table = row["table"].removeprefix("HL7 Concept Map_ ").removesuffix(" - Sheet1")
        systems = [cell for cell in row["target_cells"] if cell.startswith("http")]
        code, target = row["source_code"], row["target_code"]
        as_sent = code == target and any("v2-0" in cell for cell in row["target_cells"])
        if not target or as_sent:
            continue
        case = f"{table} {code} {target}"
        reason = excluded.get(case) or excluded.get(table)
        if reason:
            yield Result(case, "skipped", reason)
            continue
        found = _answer(table, code, library, feeds)
        same = target in found and (not systems or found[target] in ("", *systems))
        yield Result(
            case, "passed" if same else "failed", f"expected {target} of {systems}, ours {found}"
        )


def _answer(table: str, code: str, library: Library, feeds: dict[str, Feed]) -> dict[str, str]:
    """System by code ("" where the element has none) of what `code` becomes."""
    case = f"{table} {code}"
    if table in _MAPS and case not in _MESSAGES:
        translation = library.concept_maps.translate(_URL + _MAPS[table], "", code)
        return {translation.code: translation.system} if translation else {}
    asked = _MESSAGES.get(case) or _MESSAGES.get(table)
    if asked is None:
        return {}
    message, expression = asked
    data = message.format(code).encode()
    bundle: Any = convert(data, feeds=feeds, library=library).bundle or {}
    return dict.fromkeys(map(str, fhirpath.compile(expression)(bundle)), "")

"""The maps from STU3 to R4 that the product ships, by the differences HL7 publishes."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest

from fhir_bridge.transform import Library
from fhir_bridge.transform.check.check_map import check_map
from fhir_bridge.transform.compiled_map import Transformed

MAPS = Path(__file__).parents[2] / "mappings" / "stu3"
URL = "https://fhir-bridge.org/fhir/StructureMap/stu3-to-r4"


@cache
def library() -> Library:
    """The shipped maps alone."""
    return Library(None, [path.read_text(encoding="utf-8") for path in sorted(MAPS.glob("*.map"))])


def converted(kind: str, **elements: Any) -> Transformed:
    """The R4 form of one STU3 resource."""
    return library().compile(URL).run({"resourceType": kind, **elements})


def test_maps_have_no_faults() -> None:
    """Every type, element and group that the maps name exists."""
    assert [issue for url in library().maps for issue in check_map(library(), url)] == []


CONCEPT = {"coding": [{"system": "http://snomed.info/sct", "code": "1"}], "text": "one"}
PATIENT = {"reference": "Patient/1"}
AUTHOR = {"name": "A"}
MONEY, DOLLAR = {"value": 1, "code": "USD"}, {"value": 1, "currency": "USD"}
LIST = {"reference": "List/1"}
CASES = [
    pytest.param(
        {"resourceType": "Patient", "id": "1", "birthDate": "1980-01", "_birthDate": {"id": "b"}},
        {"resourceType": "Patient", "id": "1", "birthDate": "1980-01", "_birthDate": {"id": "b"}},
        id="unchanged",
    ),
    pytest.param(
        {"resourceType": "Encounter", "status": "finished", "reason": [CONCEPT]}
        | {"diagnosis": [{"condition": {"reference": "Condition/1"}, "role": CONCEPT, "rank": 1}]}
        | {"appointment": {"reference": "Appointment/1"}},
        {"resourceType": "Encounter", "status": "finished"}
        | {"appointment": [{"reference": "Appointment/1"}], "reasonCode": [CONCEPT]}
        | {"diagnosis": [{"condition": {"reference": "Condition/1"}, "use": CONCEPT, "rank": 1}]},
        id="renamed-and-made-a-list",
    ),
    pytest.param(
        {"resourceType": "ProcedureRequest", "status": "suspended", "intent": "order"}
        | {"code": CONCEPT, "subject": PATIENT, "context": {"reference": "Encounter/1"}}
        | {"requester": {"agent": {"reference": "Practitioner/1"}}, "performer": PATIENT},
        {"resourceType": "ServiceRequest", "status": "on-hold", "intent": "order"}
        | {"code": CONCEPT, "subject": PATIENT, "encounter": {"reference": "Encounter/1"}}
        | {"requester": {"reference": "Practitioner/1"}, "performer": [PATIENT]},
        id="another-type",
    ),
    pytest.param(
        {"resourceType": "Goal", "status": "achieved", "subject": PATIENT, "description": CONCEPT},
        {"resourceType": "Goal", "lifecycleStatus": "completed", "subject": PATIENT}
        | {"description": CONCEPT}
        | {
            "achievementStatus": {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/goal-achievement",
                        "code": "achieved",
                    }
                ]
            }
        },
        id="translated",
    ),
    pytest.param(
        {"resourceType": "Provenance", "reason": [{"code": "TREAT"}], "target": [PATIENT]}
        | {"agent": [{"whoReference": {"reference": "Practitioner/1"}, "role": [CONCEPT]}]}
        | {"entity": [{"role": "source", "whatUri": "http://example.org/1"}]},
        {"resourceType": "Provenance", "target": [PATIENT]}
        | {"reason": [{"coding": [{"code": "TREAT"}]}]}
        | {"agent": [{"who": {"reference": "Practitioner/1"}, "role": [CONCEPT]}]}
        | {"entity": [{"role": "source", "what": {"reference": "http://example.org/1"}}]},
        id="choices-become-references",
    ),
    pytest.param(
        {"resourceType": "MedicationDispense", "status": "completed"}
        | {"dosageInstruction": [{"text": "1", "doseQuantity": {"value": 1}}]},
        {"resourceType": "MedicationDispense", "status": "completed"}
        | {"dosageInstruction": [{"text": "1", "doseAndRate": [{"doseQuantity": {"value": 1}}]}]},
        id="data-type",
    ),
    pytest.param(
        {"resourceType": "Bundle", "type": "collection", "total": 1}
        | {"entry": [{"resource": {"resourceType": "Binary", "content": "AA=="}}]},
        {"resourceType": "Bundle", "type": "collection", "total": 1}
        | {"entry": [{"resource": {"resourceType": "Binary", "data": "AA=="}}]},
        id="resource-in-a-bundle",
    ),
    pytest.param(
        {"resourceType": "QuestionnaireResponse", "status": "completed"}
        | {"questionnaire": {"reference": "Questionnaire/1"}},
        {"resourceType": "QuestionnaireResponse", "status": "completed"}
        | {"questionnaire": "Questionnaire/1"},
        id="reference-becomes-canonical",
    ),
    pytest.param(
        {"resourceType": "Coverage", "status": "active", "grouping": {"plan": "P1"}},
        {"resourceType": "Coverage", "status": "active"}
        | {
            "class": [
                {
                    "type": {
                        "coding": [
                            {
                                "system": "http://terminology.hl7.org/CodeSystem/coverage-class",
                                "code": "plan",
                            }
                        ]
                    },
                    "value": "P1",
                }
            ]
        },
        id="structure-becomes-list",
    ),
    pytest.param(
        {"resourceType": "DocumentReference", "status": "current", "class": CONCEPT}
        | {"indexed": "2018-01-01T00:00:00Z", "context": {"encounter": {"reference": "E/1"}}},
        {"resourceType": "DocumentReference", "status": "current", "category": [CONCEPT]}
        | {"date": "2018-01-01T00:00:00Z", "context": {"encounter": [{"reference": "E/1"}]}},
        id="inside-a-structure",
    ),
    pytest.param(
        {"resourceType": "Task", "status": "ready", "reason": CONCEPT, "intent": "order"}
        | {"requester": {"agent": PATIENT}, "definitionUri": "http://example.org/t"},
        {"resourceType": "Task", "status": "ready", "reasonCode": CONCEPT, "intent": "order"}
        | {"requester": PATIENT, "instantiatesUri": "http://example.org/t"},
        id="task",
    ),
    pytest.param(
        {"resourceType": "Account", "status": "active", "period": {"start": "2018"}},
        {"resourceType": "Account", "status": "active", "servicePeriod": {"start": "2018"}},
        id="account",
    ),
    pytest.param(
        {"resourceType": "ClaimResponse", "outcome": {"coding": [{"code": "complete"}]}}
        | {"item": [{"sequenceLinkId": 1, "detail": [{"sequenceLinkId": 2}]}]}
        | {"addItem": [{"sequenceLinkId": [3], "service": CONCEPT, "fee": MONEY}]}
        | {"processNote": [{"type": {"coding": [{"code": "print"}]}, "text": "x"}]},
        {"resourceType": "ClaimResponse", "outcome": "complete"}
        | {"item": [{"itemSequence": 1, "detail": [{"detailSequence": 2}]}]}
        | {"addItem": [{"itemSequence": [3], "productOrService": CONCEPT, "net": DOLLAR}]}
        | {"processNote": [{"type": "print", "text": "x"}]},
        id="claim-response",
    ),
    pytest.param(
        {"resourceType": "Measure", "contributor": [AUTHOR | {"type": "author"}]}
        | {"group": [{"identifier": {"system": "urn:s", "value": "g"}}]}
        | {"supplementalData": [{"criteria": "Age"}]},
        {"resourceType": "Measure", "author": [{"name": "A"}]}
        | {"group": [{"code": {"coding": [{"system": "urn:s", "code": "g"}]}}]}
        | {"supplementalData": [{"criteria": {"language": "text/cql", "expression": "Age"}}]},
        id="measure",
    ),
    pytest.param(
        {"resourceType": "MeasureReport", "type": "patient-list", "patient": PATIENT}
        | {"group": [{"measureScore": 1, "population": [{"patients": LIST}]}]},
        {"resourceType": "MeasureReport", "type": "subject-list", "subject": PATIENT}
        | {"group": [{"population": [{"subjectResults": LIST}], "measureScore": {"value": 1}}]},
        id="measure-report",
    ),
    pytest.param(
        {"resourceType": "NutritionOrder", "status": "planned", "patient": PATIENT},
        {"resourceType": "NutritionOrder", "status": "active", "intent": "plan"}
        | {"patient": PATIENT},
        id="status-becomes-intent",
    ),
    pytest.param(
        {"resourceType": "EligibilityRequest", "coverage": {"reference": "Coverage/1"}},
        {"resourceType": "CoverageEligibilityRequest"}
        | {"insurance": [{"coverage": {"reference": "Coverage/1"}}]},
        id="eligibility",
    ),
    pytest.param(
        {"resourceType": "Encounter", "incomingReferral": [{"reference": "ReferralRequest/r"}]}
        | {"subject": {"reference": "http://other/ReferralRequest/r"}},
        {"resourceType": "Encounter", "basedOn": [{"reference": "ServiceRequest/r"}]}
        | {"subject": {"reference": "http://other/ReferralRequest/r"}},
        id="reference-to-a-renamed-type",
    ),
    pytest.param(
        {"resourceType": "VisionPrescription", "dispense": [{"prism": 2, "base": "down"}]},
        {"resourceType": "VisionPrescription"}
        | {"lensSpecification": [{"prism": [{"amount": 2, "base": "down"}]}]},
        id="values-become-structure",
    ),
]


@pytest.mark.parametrize(("source", "expected"), CASES)
def test_difference(source: dict[str, Any], expected: dict[str, Any]) -> None:
    """An STU3 resource becomes the R4 resource with the same content."""
    done = library().compile(URL).run(source)
    assert done.target == expected
    assert done.issues == []


def test_extensions_of_source_and_map_stand_together() -> None:
    """What the map keeps as an extension does not push out the sender's own."""
    own = {"url": "http://example.org/own", "valueString": "x"}
    done = converted("Patient", extension=[own], animal={"species": CONCEPT})
    urls = [one["url"] for one in done.target["extension"]]
    assert urls == ["http://hl7.org/fhir/StructureDefinition/patient-animal", own["url"]]


def test_value_that_does_not_fit_is_reported() -> None:
    """A structure where the R4 type has a code is left out and told."""
    done = converted("Encounter", status={"code": "finished"})
    assert "status" not in done.target
    assert [issue.code for issue in done.issues] == ["FB-2112"]

"""HL7's own validator reads our profiles, sees planted faults, and accepts what the maps make.

Runs where Java and the jars are: ``mvn dependency:copy-dependencies -DoutputDirectory=LIB`` in
``tests/hl7_validator/java`` once, then ``FHIR_BRIDGE_HL7_VALIDATOR=LIB``.  Offline.
"""

from __future__ import annotations

import copy
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.mappings_cases.test_cases import FOLDERS

LIB = os.environ.get("FHIR_BRIDGE_HL7_VALIDATOR", "")
JAVA = Path(__file__).parent / "java" / "Validate.java"
PROFILES = Path(__file__).parents[2] / "profiles"
FD = "https://fhir-bridge.org/fhir/StructureDefinition/fd-"

pytestmark = pytest.mark.skipif(
    not (LIB and shutil.which("java")),
    reason="HL7's validator is not at hand: Java, and FHIR_BRIDGE_HL7_VALIDATOR with its jars",
)

NUMBER = {"system": "urn:oid:2.16.156.10011.1.3", "value": "11010119900307001X"}
PERSON = {"reference": "Patient/1"}
ROLES = "https://fhir-bridge.org/fhir/CodeSystem/team-role"
GOOD: dict[str, dict[str, Any]] = {
    "patient": {
        "resourceType": "Patient",
        "identifier": [NUMBER],
        "name": [{"text": "张三"}],
        "gender": "male",
        "birthDate": "1990-03-07",
    },
    "encounter": {
        "resourceType": "Encounter",
        "identifier": [{"system": "urn:x-example:visit", "value": "1"}],
        "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
        "subject": PERSON,
    },
    "condition": {
        "resourceType": "Condition",
        "clinicalStatus": {
            "coding": [
                {
                    "system": "http://terminology.hl7.org/CodeSystem/condition-clinical",
                    "code": "active",
                }
            ]
        },
        "code": {"text": "x"},
        "subject": PERSON,
    },
    "careteam": {
        "resourceType": "CareTeam",
        "identifier": [{"system": "urn:x-example:team", "value": "1"}],
        "status": "active",
        "name": "x",
        "participant": [
            {
                "role": [{"coding": [{"system": ROLES, "code": role}]}],
                "member": {"reference": f"Practitioner/{role}"},
            }
            for role in ("gp", "nurse")
        ],
        "managingOrganization": [{"reference": "Organization/1"}],
    },
}


def _set(*steps: Any) -> Callable[[Any], None]:
    """A fault: the last of `steps` written at the place that the others lead to; None removes."""
    *path, key, value = steps

    def plant(resource: Any) -> None:
        for step in path:
            resource = resource[step]
        if value is None:
            del resource[key]
        else:
            resource[key] = value

    return plant


FAULTS: list[tuple[str, Callable[[Any], None]]] = [
    ("patient", _set("identifier", None)),
    ("patient", _set("identifier", 0, "system", None)),
    ("patient", _set("identifier", 0, "value", None)),
    ("patient", _set("identifier", 0, "value", "110")),
    ("patient", _set("name", None)),
    ("patient", _set("name", 0, {"family": "张"})),
    ("patient", _set("birthDate", "2999-01-01")),
    ("patient", _set("birthDate", "2026-13-01")),
    ("patient", _set("gender", "man")),
    ("patient", _set("telecom", [{"system": "pigeon", "value": "1"}])),
    ("patient", _set("identifier", 0, "use", "mine")),
    ("encounter", _set("identifier", None)),
    ("encounter", _set("class", None)),
    ("encounter", _set("subject", None)),
    ("encounter", _set("period", {"start": "yesterday"})),
    ("encounter", _set("status", "over")),
    ("encounter", _set("class", "code", "NOWHERE")),
    ("condition", _set("code", None)),
    ("condition", _set("subject", None)),
    ("condition", _set("onsetDateTime", "yesterday")),
    ("condition", _set("clinicalStatus", "coding", 0, "code", "gone")),
    (
        "condition",
        _set(
            "verificationStatus",
            {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/condition-ver-status",
                        "code": "sure",
                    }
                ]
            },
        ),
    ),
    ("careteam", _set("identifier", None)),
    ("careteam", _set("status", None)),
    ("careteam", _set("name", None)),
    ("careteam", _set("participant", 0, "role", 0, "coding", 0, "code", "leader")),
    ("careteam", _set("participant", 1, "role", 0, "coding", 0, "code", "tcm")),
    ("careteam", _set("participant", 1, "member", {"reference": "Practitioner/gp"})),
    ("careteam", _set("subject", PERSON)),
    ("careteam", _set("managingOrganization", None)),
]


def judged(asked: list[tuple[str, Any]]) -> list[list[dict[str, str]]]:
    """The errors of HL7's validator on each (profile or "", resource)."""
    lines = [
        json.dumps({"profiles": [FD + profile] if profile else [], "resource": resource})
        for profile, resource in asked
    ]
    command = ["java", "-Xmx1500m", "-cp", f"{LIB}/*", str(JAVA), str(PROFILES)]
    answer = subprocess.run(
        command, input="\n".join(lines), capture_output=True, text=True, check=True, timeout=900
    )
    return [
        [one for one in json.loads(line) if one["severity"] in ("error", "fatal")]
        for line in answer.stdout.splitlines()
    ]


def test_the_validator_is_awake_and_our_profiles_load() -> None:
    """Thirty resources with one planted fault each: all are reported, the sound ones are not."""
    asked = list(GOOD.items())
    for profile, plant in FAULTS:
        resource = copy.deepcopy(GOOD[profile])
        plant(resource)
        asked.append((profile, resource))
    found = judged(asked)

    assert [[]] * len(GOOD) == found[: len(GOOD)]
    assert [] == [FAULTS[index][0] for index, one in enumerate(found[len(GOOD) :]) if not one]


def test_what_the_maps_make_is_valid() -> None:
    """At most one resource of a hundred keeps an error; each is told."""
    resources = [
        entry["resource"]
        for folder in FOLDERS
        for entry in json.loads((folder / "expected.json").read_text())["bundle"].get("entry", ())
        if entry.get("request", {}).get("ifMatch") != "*"
    ]
    wrong = [
        (resource["resourceType"], [one["text"][:200] for one in errors])
        for resource, errors in zip(
            resources, judged([("", one) for one in resources]), strict=True
        )
        if errors
    ]

    assert len(wrong) <= len(resources) / 100, wrong

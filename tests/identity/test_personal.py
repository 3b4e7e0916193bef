"""Which numbers on a Patient no second person may hold."""

from __future__ import annotations

import pytest

from fhir_bridge.artifacts import Artifacts
from fhir_bridge.identity import load_rules
from fhir_bridge.identity.personal import PersonalNumbers

CITIZEN = "urn:oid:2.16.156.10011.1.3"
MOTHER = "11010519491231002X"


@pytest.mark.parametrize(
    ("identifier", "patient", "expected"),
    [
        ({"system": "urn:his", "value": "7"}, {}, True),
        ({"system": "urn:his", "value": "7", "use": "old"}, {}, False),
        ({"value": "7"}, {}, False),
        ({"system": CITIZEN, "value": MOTHER}, {"birthDate": "1949-12-31"}, True),
        ({"system": CITIZEN, "value": MOTHER.lower()}, {"birthDate": "1949-12-31"}, True),
        ({"system": CITIZEN, "value": MOTHER}, {"birthDate": "2026-02-01"}, False),
        ({"system": CITIZEN, "value": "000000000000000000"}, {}, False),
    ],
)
def test_a_number_is_personal_where_nobody_else_may_hold_it(identifier, patient, expected):
    """A guardian's number on a child, a number of zeros and one out of use may come twice."""
    assert PersonalNumbers(load_rules(Artifacts())).identifies(identifier, patient) is expected


@pytest.mark.parametrize(("code", "expected"), [("MR", True), ("AN", False), ("VN", False)])
def test_numbers_of_visits_and_accounts_are_not_personal(code, expected):
    """Table 0203 says of what a number is."""
    kind = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": code}]}
    numbers = PersonalNumbers(load_rules(Artifacts()))
    assert numbers.identifies({"system": "urn:his", "value": "7", "type": kind}, {}) is expected

"""Codes, units and languages by the systems that are known whole."""

from typing import Any

import pytest

from fhir_bridge.conformance import Profiles
from fhir_bridge.fhir import Resource, definitions
from fhir_bridge.validation import Strictness, Validator

OURS = {
    "resourceType": "CodeSystem",
    "url": "https://hospital.test/colours",
    "status": "active",
    "content": "complete",
    "concept": [
        {
            "code": "red",
            "display": "Red",
            "designation": [{"language": "zh-CN", "value": "红"}],
            "concept": [{"code": "dark-red", "display": "Dark red"}],
        }
    ],
}
PART = OURS | {"url": "https://hospital.test/some", "content": "fragment"}
SUPPLEMENT = OURS | {"url": "https://hospital.test/more", "content": "supplement"}
VALUE_SET = {"resourceType": "ValueSet", "url": "https://hospital.test/chosen", "status": "active"}
PROFILES = Profiles([OURS, PART, SUPPLEMENT, VALUE_SET])


def _issues(resource: Resource, **asked: Any) -> list[tuple[str, str, str]]:
    validator = Validator(definitions(), PROFILES, strictness=Strictness(**asked))
    return [(issue.code, issue.severity, issue.where) for issue in validator.check(resource)]


def _coded(**coding: str) -> Resource:
    return {"resourceType": "Basic", "code": {"coding": [coding]}}


CODE = "Basic.code.coding[0].code"


@pytest.mark.parametrize(
    ("system", "good", "bad"),
    [
        (OURS["url"], "dark-red", "blue"),
        ("http://terminology.hl7.org/CodeSystem/v2-0203", "MR", "MRXX"),
        ("http://unitsofmeasure.org", "mm[Hg]", "mmHg-ish"),
        ("urn:ietf:bcp:47", "zh-Hans-CN", "chinese"),
    ],
)
def test_a_code_that_its_system_does_not_have_is_told(system, good, bad):
    """A warning, or what is asked; never a second time another verdict."""
    assert [] == _issues(_coded(system=system, code=good))
    for _ in range(2):
        assert [("FB-3035", "warning", CODE)] == _issues(_coded(system=system, code=bad))
    assert [("FB-3035", "error", CODE)] == _issues(
        _coded(system=system, code=bad), unknown_codes="error"
    )
    assert [] == _issues(_coded(system=system, code=bad), unknown_codes="allowed")


@pytest.mark.parametrize("system", [PART["url"], "https://elsewhere.test/codes"])
def test_a_system_that_is_not_known_whole_is_not_judged(system):
    """What a fragment leaves out may be a code all the same."""
    assert [] == _issues(_coded(system=system, code="blue"))


@pytest.mark.parametrize(
    "system", [VALUE_SET["url"], SUPPLEMENT["url"], "http://hl7.org/fhir/ValueSet/x"]
)
def test_a_value_set_or_a_supplement_is_no_code_system(system):
    """Its codes are those of other systems."""
    expected = [("FB-3036", "error", "Basic.code.coding[0].system")]
    assert expected == _issues(_coded(system=system, code="red"))


@pytest.mark.parametrize(
    ("display", "is_good"), [("Red", True), ("红", True), ("  red ", True), ("Rot", False)]
)
def test_a_display_is_a_name_of_the_code_where_that_is_asked(display, is_good):
    """In any language of the system, blanks and case aside."""
    coded = _coded(system=OURS["url"], code="red", display=display)

    assert [] == _issues(coded)
    wrong = [("FB-3037", "error", "Basic.code.coding[0].display")]
    assert ([] if is_good else wrong) == _issues(coded, wrong_displays="error")


def test_the_code_of_a_quantity_is_a_unit_of_its_system():
    """In any Quantity, also one of a narrower type."""
    age = {"value": 3, "system": "http://unitsofmeasure.org", "code": "years"}
    condition = {
        "resourceType": "Condition",
        "subject": {"display": "x"},
        "onsetAge": age,
        "clinicalStatus": {
            "coding": [
                {
                    "system": "http://terminology.hl7.org/CodeSystem/condition-clinical",
                    "code": "active",
                }
            ]
        },
    }
    codes = [code for code, _, _ in _issues(condition)]
    assert "FB-3035" in codes
    age["code"] = "a"
    assert "FB-3035" not in [code for code, _, _ in _issues(condition)]


@pytest.mark.parametrize(
    ("language", "is_good"),
    [("zh-CN", True), ("de-AT-1996", True), ("eng", False), ("chinese", False), ("zh_CN", False)],
)
def test_a_language_is_a_tag_of_bcp_47(language, is_good):
    """R4 binds languages to all of them, and to nothing else."""
    expected = [] if is_good else [("FB-3008", "error", "Patient.language")]
    assert expected == _issues({"resourceType": "Patient", "language": language})


@pytest.mark.parametrize(
    ("reference", "is_good"),
    [
        ("Patient/1", True),
        ("urn:uuid:5d9588d8-3cd6-4b32-8fb7-ad13694e069d", True),
        ("https://hospital.test/people/1", True),
        ("Chicken/1", False),
        ("Patient/1 or 2", False),
    ],
)
def test_a_reference_is_the_address_of_a_resource(reference, is_good):
    """No blanks, and a type of R4 where it is relative."""
    patient = {
        "resourceType": "Patient",
        "link": [{"type": "seealso", "other": {"reference": reference}}],
    }
    expected = [] if is_good else [("FB-3007", "error", "Patient.link[0].other")]
    assert expected == _issues(patient)

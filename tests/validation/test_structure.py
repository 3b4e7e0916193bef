"""The structure of R4: one case for each kind of fault, and none for sound resources."""

from typing import Any

import pytest

from fhir_bridge.conformance import Profiles
from fhir_bridge.fhir import definitions, operation_outcome, parse_json
from fhir_bridge.validation import Validator

VALIDATOR = Validator(definitions(), Profiles())
_NUL = chr(0)


def _faults(text: str) -> list[tuple[str, str]]:
    issues = VALIDATOR.check(parse_json(text))
    assert operation_outcome(issues)["issue"]
    return [(issue.code, issue.where) for issue in issues if issue.severity == "error"]


@pytest.mark.parametrize(
    ("text", "code", "where"),
    [
        ('{"resourceType":"Nonsense"}', "FB-3001", ""),
        ('{"resourceType":"Patient","nonsense":1}', "FB-3002", "Patient"),
        ('{"resourceType":"Observation","status":"final"}', "FB-3003", "Observation"),
        ('{"resourceType":"Patient","name":{"text":"x"}}', "FB-3006", "Patient.name"),
        ('{"resourceType":"Patient","name":["x"]}', "FB-3006", "Patient.name[0]"),
        ('{"resourceType":"Patient","gender":["male"]}', "FB-3006", "Patient.gender"),
        ('{"resourceType":"Patient","active":"true"}', "FB-3007", "Patient.active"),
        ('{"resourceType":"Patient","birthDate":"2023-02-30"}', "FB-3007", "Patient.birthDate"),
        ('{"resourceType":"Patient","birthDate":"20230201"}', "FB-3007", "Patient.birthDate"),
        ('{"resourceType":"Patient","id":"a b"}', "FB-3007", "Patient.id"),
        ('{"resourceType":"Patient","multipleBirthInteger":1.0}', "FB-3007", "Patient.multipleBirth.ofType(integer)"),
        ('{"resourceType":"Patient","gender":"mal"}', "FB-3008", "Patient.gender"),
        ('{"resourceType":"Patient","deceasedBoolean":true,"deceasedDateTime":"2023"}', "FB-3005", "Patient"),
        ('{"resourceType":"Patient","name":[]}', "FB-3011", "Patient.name"),
        ('{"resourceType":"Patient","name":[{}]}', "FB-3011", "Patient.name[0]"),
        ('{"resourceType":"Patient","birthDate":""}', "FB-3011", "Patient.birthDate"),
        ('{"resourceType":"Patient","name":[{"given":[null]}]}', "FB-3011", "Patient.name[0].given[0]"),
        ('{"resourceType":"Patient","name":[{"given":["a","b"],"_given":[null]}]}', "FB-3023", "Patient.name[0].given"),
        ('{"resourceType":"Patient","managingOrganization":{"reference":"Patient/1"}}', "FB-3009", "Patient.managingOrganization"),
        ('{"resourceType":"Patient","managingOrganization":{"reference":"#o"}}', "FB-3010", "Patient.managingOrganization"),
        ('{"resourceType":"Patient","extension":[{"url":"http://x.example"}]}', "FB-3017", "Patient.extension[0]"),
        ('{"resourceType":"Patient","photo":[{"contentType":"image/png","data":"abc"}]}', "FB-3007", "Patient.photo[0].data"),
        ('{"resourceType":"Patient","identifier":[{"system":"urn:uuid:nonsense"}]}', "FB-3007", "Patient.identifier[0].system"),
        ('{"resourceType":"Patient","text":{"status":"generated","div":"<div>x</div>"}}', "FB-3019", "Patient.text.div"),
        ('{"resourceType":"Bundle","type":"collection","entry":[{"fullUrl":"urn:uuid:6f0c6c1e-6f8f-5d0e-9d51-6d2f7a1f4c10","resource":{"resourceType":"Patient","nonsense":1}}]}', "FB-3002", "Bundle.entry[0].resource"),
        ('{"resourceType":"Bundle","type":"collection","entry":[{"fullUrl":"x","resource":{"resourceType":"Patient"}}]}', "FB-3026", "Bundle.entry[0]"),
        ('{"resourceType":"Encounter","status":"finished","class":{"code":"AMB"},"period":{"start":"2024-02-01","end":"2024-01-01"}}', "FB-3012", "Encounter.period"),
        ('{"resourceType":"Patient","name":[{"id":"x"}]}', "FB-3011", "Patient.name[0]"),
        ('{"resourceType":"Patient","_birthDate":{"id":"x"}}', "FB-3011", "Patient.birthDate"),
        ('{"resourceType":"Patient","photo":[{"contentType":"image/png","size":9,"data":"YWJj"}]}', "FB-3007", "Patient.photo[0].size"),
        ('{"resourceType":"Patient","maritalStatus":{"coding":[{"system":"GB","code":"10"}]}}', "FB-3007", "Patient.maritalStatus.coding[0].system"),
        ('{"resourceType":"Patient","contact":[{"gender":"male"}]}', "FB-3012", "Patient.contact[0]"),
    ],
)  # fmt: skip
def test_a_fault_is_found_at_its_place(text: str, code: str, where: str) -> None:
    """One fault, one issue, its place in FHIRPath."""
    assert [(code, where)] == _faults(text)


@pytest.mark.parametrize(
    "text",
    [
        '{"resourceType":"Patient"}',
        '{"resourceType":"Patient","_birthDate":{"extension":[{"url":"http://x.example","valueCode":"unknown"}]}}',
        '{"resourceType":"Patient","name":[{"given":["a",null],"_given":[null,{"id":"x"}]}]}',
        '{"resourceType":"Patient","contained":[{"resourceType":"Organization","id":"o","name":"x"}],"managingOrganization":{"reference":"#o"}}',
        '{"resourceType":"Patient","managingOrganization":{"reference":"https://h.example/fhir/Organization/1"}}',
        '{"resourceType":"Patient","managingOrganization":{"reference":"urn:uuid:6f0c6c1e-6f8f-5d0e-9d51-6d2f7a1f4c10"}}',
        '{"resourceType":"Patient","birthDate":"2024-02-29"}',
        '{"resourceType":"Patient","text":{"status":"generated","div":"<div xmlns=\\"http://www.w3.org/1999/xhtml\\">张三</div>"}}',
        '{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":1.10}}',
        '{"resourceType":"Questionnaire","status":"draft","item":[{"linkId":"1","type":"group","item":[{"linkId":"2","type":"string"}]}]}',
    ],
)  # fmt: skip
def test_a_sound_resource_has_no_fault(text: str) -> None:
    """What R4 allows passes."""
    assert [] == _faults(text)


def test_all_faults_are_found_at_once() -> None:
    """A sender wants the whole list, not one fault a day."""
    faults = _faults('{"resourceType":"Patient","a":1,"b":2,"gender":"x","birthDate":"x"}')

    assert 4 == len(faults)


def test_a_fault_never_repeats_the_value() -> None:
    """The value may be patient data."""
    issues = VALIDATOR.check(
        {"resourceType": "Patient", "birthDate": "zhangsan-1990", "gender": "zhangsan"}
    )

    assert issues
    assert not any("zhangsan" in f"{issue} {issue.hint}" for issue in issues)


@pytest.mark.parametrize(
    "value", [None, 1, "x", [], {}, {"resourceType": None}, {"resourceType": ["x"]}]
)
def test_what_is_no_resource_is_an_issue(value: Any) -> None:
    """No shape of JSON makes the check fail."""
    assert VALIDATOR.check(value)


@pytest.mark.parametrize(
    "text",
    ["<script/>", "<a href='javascript:x'/>", "<form/>", "<p onclick='x'>y</p>", "<iframe/>", ""],
)
def test_active_content_is_no_narrative(text: str) -> None:
    """Only formatting is allowed, and there must be something to read."""
    resource = {
        "resourceType": "Patient",
        "text": {
            "status": "generated",
            "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{text}</div>',
        },
    }

    assert ["FB-3019"] == [issue.code for issue in VALIDATOR.check(resource)]


@pytest.mark.parametrize(
    ("contained", "key"),
    [
        ({"resourceType": "Organization", "id": "o", "contained": [{"resourceType": "Patient", "id": "x"}]}, "dom-2"),
        ({"resourceType": "Organization", "id": "unreferenced", "name": "x"}, "dom-3"),
        ({"resourceType": "Organization", "id": "o", "name": "x", "meta": {"versionId": "1"}}, "dom-4"),
        ({"resourceType": "Organization", "id": "o", "name": "x", "meta": {"security": [{"code": "R"}]}}, "dom-5"),
    ],
)  # fmt: skip
def test_contained_resources_keep_their_rules(contained: dict[str, Any], key: str) -> None:
    """dom-2 to dom-5 of every domain resource."""
    resource = {
        "resourceType": "Patient",
        "contained": [contained],
        "managingOrganization": {"reference": "#o"},
    }

    keys = {issue.details.get("key") for issue in VALIDATOR.check(resource)}

    assert key in keys


def test_control_characters_are_no_text() -> None:
    """A NUL would not survive a database or XML."""
    issues = VALIDATOR.check({"resourceType": "Patient", "name": [{"text": f"a{_NUL}b"}]})

    assert ["FB-3007"] == [issue.code for issue in issues]


def test_a_rule_without_an_answer_does_not_hold() -> None:
    """A period from some day in May to May may be over before it begins."""
    period = {"start": "2024-05-03", "end": "2024-05"}
    patient = {"resourceType": "Patient", "name": [{"family": "Li", "period": period}]}

    assert ["FB-3012"] == [issue.code for issue in VALIDATOR.check(patient)]
    period["end"] = "2024-05-04"
    assert [] == VALIDATOR.check(patient)

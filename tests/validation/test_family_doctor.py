"""The profiles of the family-doctor record: sound records pass, faults are named."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from fhir_bridge.artifacts import Artifacts
from fhir_bridge.conformance import Profiles
from fhir_bridge.fhir import Resource, definitions
from fhir_bridge.validation import Validator

BASE = "https://fhir-bridge.org/fhir"
PROFILES = Profiles.from_artifacts(Artifacts())
VALIDATOR = Validator(definitions(), PROFILES)


def _extension(name: str, **value: Any) -> dict[str, Any]:
    return {"url": f"{BASE}/StructureDefinition/{name}", **value}


def _coding(system: str, code: str) -> dict[str, str]:
    return {"system": f"{BASE}/CodeSystem/{system}", "code": code}


def _member(role: str, who: str) -> dict[str, Any]:
    return {"role": [{"coding": [_coding("team-role", role)]}], "member": {"reference": who}}


def _share(source: str, amount: int, payer: str) -> dict[str, Any]:
    return {
        "extension": [_extension("funding-source", valueCoding=_coding("funding-source", source))],
        "net": {"value": amount, "currency": "CNY"},
        "responsible": {"reference": payer},
        "recipient": {"reference": "Organization/centre"},
    }


def _signer(code: str, who: str) -> dict[str, Any]:
    return {
        "type": {
            "system": "http://terminology.hl7.org/CodeSystem/contractsignertypecodes",
            "code": code,
        },
        "party": {"reference": who},
        "signature": [
            {
                "type": [
                    {"system": "urn:iso-astm:E1762-95:2013", "code": "1.2.840.10065.1.12.1.1"}
                ],
                "when": "2024-01-01T09:00:00+08:00",
                "who": {"reference": who},
            }
        ],
    }


PATIENT: Resource = {
    "resourceType": "Patient",
    "extension": [
        _extension("ethnic-group", valueCoding={"system": "urn:oid:2.16.156.10011.2.3.3.3", "code": "01"}),
        _extension(
            "key-population",
            extension=[
                {"url": "group", "valueCoding": _coding("key-population", "hypertension")},
                {"url": "period", "valuePeriod": {"start": "2023-01-01"}},
            ],
        ),
    ],
    "identifier": [
        {"system": "urn:oid:2.16.156.10011.1.3", "value": "11010119900307001X"},
        {"system": "urn:oid:2.16.156.10011.1.2", "value": "11010100100100001"},
    ],
    "name": [{"text": "张三", "family": "张"}],
    "gender": "male",
    "_gender": {"extension": [_extension("sex-code", valueCoding={"system": "urn:oid:2.16.156.10011.2.3.3.4", "code": "1"})]},
    "birthDate": "1990-03-07",
}  # fmt: skip
TEAM: Resource = {
    "resourceType": "CareTeam",
    "extension": [_extension("team-capacity", extension=[{"url": "maxHouseholds", "valueUnsignedInt": 800}])],
    "identifier": [{"value": "T1"}],
    "status": "active",
    "name": "第一团队",
    "participant": [_member("gp", "Practitioner/1"), _member("nurse", "Practitioner/2"), _member("specialist", "Practitioner/3")],
    "managingOrganization": [{"reference": "Organization/centre"}],
}  # fmt: skip
CONTRACT: Resource = {
    "resourceType": "Contract",
    "extension": [_extension("signing-channel", valueCoding=_coding("signing-channel", "app"))],
    "identifier": [{"value": "QY1"}],
    "status": "executed",
    "issued": "2024-01-01",
    "applies": {"start": "2024-01-01", "end": "2024-12-31"},
    "subject": [{"reference": "Patient/1"}],
    "authority": [{"reference": "Organization/centre"}],
    "type": {"coding": [_coding("contract-type", "individual")]},
    "term": [
        {
            "offer": {"text": "基础服务包"},
            "asset": [
                {
                    "type": [{"coding": [_coding("package-kind", "basic")]}],
                    "valuedItem": [_share("medical-insurance", 8, "Organization/fund"), _share("resident", 0, "Patient/1")],
                }
            ],
        }
    ],
    "signer": [_signer("PAT", "Patient/1"), _signer("HPROV", "Practitioner/1")],
}  # fmt: skip
REFERRAL: Resource = {
    "resourceType": "ServiceRequest",
    "extension": [
        _extension("referral-direction", valueCode="up"),
        _extension("referring-organization", valueReference={"reference": "Organization/centre"}),
        _extension("referral-summary", valueString="血压控制不满意"),
    ],
    "identifier": [{"value": "ZZ1"}],
    "status": "active",
    "intent": "order",
    "category": [{"coding": [{"system": "http://snomed.info/sct", "code": "3457005"}]}],
    "subject": {"reference": "Patient/1"},
    "authoredOn": "2024-05-01",
    "performer": [{"reference": "Organization/hospital"}],
    "reasonCode": [{"coding": [_coding("referral-reason", "not-controlled-twice")]}],
}
RECORDS = {
    "fd-patient": PATIENT,
    "fd-careteam": TEAM,
    "fd-contract": CONTRACT,
    "fd-referral": REFERRAL,
}


def _issues(name: str, resource: Resource) -> list[tuple[str, str, str, str]]:
    issues = VALIDATOR.check(resource, [f"{BASE}/StructureDefinition/{name}"])
    return [
        (issue.severity, issue.code, issue.where, issue.details.get("key", "")) for issue in issues
    ]


@pytest.mark.parametrize("name", RECORDS)
def test_a_sound_record_passes(name: str) -> None:
    """Neither an error nor a warning."""
    assert [] == _issues(name, RECORDS[name])


def _set(path: str, value: Any) -> Callable[[Resource], None]:
    """A change of the record: `value` at `path` (words and positions), None to remove."""

    def change(resource: Any) -> None:
        *steps, last = [int(step) if step.isdigit() else step for step in path.split("/")]
        for step in steps:
            resource = resource[step]
        if value is None:
            del resource[last]
        else:
            resource[last] = value

    return change


@pytest.mark.parametrize(
    ("name", "change", "expected"),
    [
        ("fd-patient", _set("name/0/text", None), ("error", "FB-3003", "Patient.name[0]", "")),
        ("fd-patient", _set("identifier/0/value", "1101011990030700"), ("error", "FB-3012", "Patient.identifier[0]", "fd-pat-1")),
        ("fd-patient", _set("birthDate", "1991-03-07"), ("warning", "FB-3012", "Patient.identifier[0]", "fd-pat-2")),
        ("fd-patient", _set("gender", None), ("warning", "FB-3012", "Patient", "fd-pat-5")),
        ("fd-patient", _set("gender", "female"), ("warning", "FB-3012", "Patient.identifier[0]", "fd-pat-3")),
        ("fd-patient", _set("birthDate", "2999-01-01"), ("error", "FB-3012", "Patient", "fd-pat-4")),
        ("fd-patient", _set("extension/0/valueCoding", {"code": "01"}), None),
        ("fd-patient", _set("extension/1/extension/0/valueCoding", _coding("key-population", "x")), ("error", "FB-3025", "Patient.extension[1].extension[0].value.ofType(Coding)", "")),
        ("fd-patient", _set("extension/1/extension/1/url", "other"), ("error", "FB-3016", "Patient.extension[1].extension[1]", "")),
        ("fd-careteam", _set("participant/1", _member("specialist", "Practitioner/2")), ("error", "FB-3015", "CareTeam", "")),
        ("fd-careteam", _set("participant/0", _member("tcm", "Practitioner/1")), ("error", "FB-3015", "CareTeam", "")),
        ("fd-careteam", _set("participant/2", _member("specialist", "Practitioner/1")), ("error", "FB-3012", "CareTeam", "fd-ct-1")),
        ("fd-careteam", _set("subject", {"reference": "Patient/1"}), ("error", "FB-3004", "CareTeam.subject", "")),
        ("fd-careteam", _set("extension/0/extension/0/url", "maxCats"), ("error", "FB-3016", "CareTeam.extension[0].extension[0]", "")),
        ("fd-contract", _set("applies", None), ("error", "FB-3003", "Contract", "")),
        ("fd-contract", _set("applies/end", "2023-01-01"), ("error", "FB-3012", "Contract", "fd-con-1")),
        ("fd-contract", _set("applies/end", "2028-12-31"), ("warning", "FB-3012", "Contract", "fd-con-2")),
        ("fd-contract", _set("term/0/asset/0/valuedItem/0/net/value", -1), ("error", "FB-3012", "Contract", "fd-con-3")),
        ("fd-contract", _set("signer/1", _signer("PAT", "Patient/1")), ("warning", "FB-3012", "Contract", "fd-con-4")),
        ("fd-contract", _set("term", None), ("warning", "FB-3012", "Contract", "fd-con-5")),
        ("fd-contract", _set("issued", "2024-04-01"), ("warning", "FB-3012", "Contract", "fd-con-6")),
        ("fd-contract", _set("subject/0/reference", "Practitioner/1"), ("error", "FB-3009", "Contract.subject[0]", "")),
        ("fd-contract", _set("type/coding/0/code", "x"), ("error", "FB-3025", "Contract.type", "")),
        ("fd-contract", _set("term/0/asset/0/valuedItem/0/extension", None), ("error", "FB-3015", "Contract.term[0].asset[0].valuedItem[0]", "")),
        ("fd-referral", _set("extension/0/valueCode", "left"), ("error", "FB-3008", "ServiceRequest.extension[0].value.ofType(code)", "")),
        ("fd-referral", _set("extension/0/valueCode", None), ("error", "FB-3017", "ServiceRequest.extension[0]", "")),
        ("fd-referral", _set("reasonCode", None), ("error", "FB-3012", "ServiceRequest", "fd-ref-1")),
        ("fd-referral", _set("performer/0/reference", "Organization/centre"), ("error", "FB-3012", "ServiceRequest", "fd-ref-2")),
        ("fd-referral", _set("extension/2", _extension("patient-choice", valueBoolean=True)), ("warning", "FB-3012", "ServiceRequest", "fd-ref-3")),
        ("fd-referral", _set("category/0/coding/0/code", "1"), ("error", "FB-3015", "ServiceRequest", "")),
        ("fd-referral", _set("subject/reference", "Group/1"), ("error", "FB-3009", "ServiceRequest.subject", "")),
    ],
)  # fmt: skip
def test_a_fault_is_named(
    name: str, change: Callable[[Resource], None], expected: tuple[str, str, str, str] | None
) -> None:
    """Severity, code, place and rule of each fault."""
    resource = copy.deepcopy(RECORDS[name])
    change(resource)

    found = _issues(name, resource)

    assert found == [] if expected is None else expected in found


def test_an_identifier_that_is_marked_as_unverified_is_kept() -> None:
    """A wrong check digit is no reason to lose the record."""
    resource = copy.deepcopy(PATIENT)
    resource["identifier"][0] |= {
        "value": "无",
        "extension": [
            _extension(
                "identifier-not-verified", valueCoding=_coding("identifier-problem", "placeholder")
            )
        ],
    }

    assert [] == _issues("fd-patient", resource)


def test_the_profile_of_another_type_is_refused() -> None:
    """A profile says what type it is for."""
    found = _issues("fd-careteam", PATIENT)

    assert ("error", "FB-3018") in [issue[:2] for issue in found]


def test_an_unknown_profile_is_a_warning() -> None:
    """The record may be right; it just cannot be judged by what is not here."""
    issues = VALIDATOR.check(PATIENT, ["http://x.example/profile"])

    assert [("FB-3013", "warning")] == [(issue.code, issue.severity) for issue in issues]


def test_a_claimed_profile_is_judged_without_being_asked_for() -> None:
    """meta.profile is a promise."""
    resource = copy.deepcopy(PATIENT) | {
        "meta": {"profile": [f"{BASE}/StructureDefinition/fd-patient"]}
    }
    del resource["identifier"]

    assert ["FB-3003"] == [issue.code for issue in VALIDATOR.check(resource)]


def test_every_profile_file_is_itself_valid() -> None:
    """Structure, invariants of R4 and no rule that cannot be compiled."""
    for kind in ("StructureDefinition", "ValueSet", "CodeSystem"):
        for url, resource in PROFILES.of_type(kind).items():
            errors = [
                str(issue) for issue in VALIDATOR.check(resource) if issue.severity == "error"
            ]
            assert [] == errors, url


def test_every_rule_of_every_profile_can_be_evaluated() -> None:
    """A rule that does not compile would answer information, not a verdict."""
    for url, profile in PROFILES.structure_definitions.items():
        if profile["type"] in definitions().resource_types:
            issues = VALIDATOR.check({"resourceType": profile["type"]}, [url])
            assert "FB-3021" not in [issue.code for issue in issues], url


def test_every_code_has_a_chinese_designation() -> None:
    """Our own codes are English with zh-CN beside them; lists of Chinese forms are Chinese."""
    for url, code_system in PROFILES.code_systems.items():
        is_english = url.startswith(BASE) and code_system.get("language") != "zh-CN"
        for concept in code_system["concept"] if is_english else ():
            assert any(item["language"] == "zh-CN" for item in concept["designation"]), url

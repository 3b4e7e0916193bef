"""Which labels a resource gets, and that they come and go with the rules alone."""

import copy

import pytest

from fhir_bridge.artifacts import Artifacts
from fhir_bridge.conformance import Profiles
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import definitions
from fhir_bridge.security_labels import Labeller, load_label_rules, without_labels
from fhir_bridge.validation import Validator

ICD, LOINC, ATC = "http://hl7.org/fhir/sid/icd-10", "http://loinc.org", "http://www.whocc.no/atc"
LABELLER = Labeller(load_label_rules(Artifacts()))


def _resource(system, code, name="code", **more):
    value = {"coding": [{"system": system, "code": code}]}
    return {
        "resourceType": "Condition",
        "id": "c",
        "subject": {"reference": "Patient/p"},
        "recordedDate": "2026-03-01",
        name: [value] if name in ("reasonCode", "conclusionCode") else value,
        **more,
    }


def _labels(resource, born=""):
    labelled = dict(LABELLER.label(resource, lambda _: born))
    resource.clear()
    resource.update(labelled)
    return [each["code"] for each in resource.get("meta", {}).get("security", [])]


@pytest.mark.parametrize(
    ("system", "code", "labels"),
    [
        (ICD, "B20", ["HIV", "R"]),
        (ICD, "B24.x01", ["HIV", "R"]),
        (ICD, "Z21", ["HIV", "R"]),
        (ICD, "B25.0", []),
        (ICD, "F32.1", ["PSY", "R"]),
        (ICD, "F10.2", ["ETH", "R"]),
        (ICD, "A51.0", ["SEX", "R"]),
        (ICD, "A49.0", []),
        (ICD, "T74.2", ["SDV", "R"]),
        (ICD, "I10", []),
        (LOINC, "75622-1", ["HIV", "R"]),
        (LOINC, "44249-1", ["PSY", "R"]),
        (LOINC, "718-7", []),
        (ATC, "J05AR10", ["HIV", "R"]),
        (ATC, "J01CA04", []),
        ("urn:other", "B20", []),
        (ICD, "B20" * 100, []),
        (None, "B20", []),
        (ICD, None, []),
        ([], {}, []),
    ],
)
def test_a_code_of_a_class_gives_its_labels(system, code, labels):
    """By diagnosis, test or medication; neighbours and other systems give none."""
    assert _labels(_resource(system, code)) == labels


@pytest.mark.parametrize(
    "name", ["reasonCode", "conclusionCode", "medicationCodeableConcept", "valueCodeableConcept"]
)
def test_a_reason_and_a_result_count_as_well(name):
    """A prescription for it says as much as the diagnosis."""
    assert _labels(_resource(ICD, "B20", name)) == ["HIV", "R"]


@pytest.mark.parametrize(
    ("born", "recorded", "labels"),
    [
        ("2010-05-05", "2026-03-01", ["SEX", "R"]),
        ("2008-03-01", "2026-03-01", []),
        ("2008-03-02", "2026-03-01", ["SEX", "R"]),
        ("1990", "2026-03-01", []),
        ("", "2026-03-01", ["SEX", "R"]),
        ("1990-01-01", "", ["SEX", "R"]),
    ],
)
def test_reproductive_care_is_sensitive_for_minors(born, recorded, labels):
    """By their age at the time; where that is not known it is taken for theirs."""
    assert _labels(_resource(ICD, "Z30.0", recordedDate=recorded), born) == labels


def test_labels_of_others_stay_and_ours_go_with_what_they_were_for():
    """A sender's V is higher than our R; a corrected diagnosis loses our label."""
    theirs = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "V"}
    resource = _resource(ICD, "B20", meta={"security": [theirs], "source": "x"})
    assert _labels(resource) == ["V", "HIV"]
    resource["code"]["coding"][0]["code"] = "I10"

    assert _labels(resource) == ["V"]
    assert resource["meta"] == {"security": [theirs], "source": "x"}


def test_a_label_is_put_once():
    """Whatever was labelled is the same after it is labelled again, and nothing empty is left."""
    resource = _resource(ICD, "B20")
    _labels(resource)
    again = copy.deepcopy(resource)
    _labels(again)
    assert again == resource
    resource["code"]["coding"][0]["code"] = "I10"
    _labels(resource)

    assert "meta" not in resource


def test_what_a_source_said_is_what_is_left_without_our_labels():
    """Labels are no statement of anybody, so they are taken off before statements are compared."""
    said = _resource(ICD, "B20", meta={"source": "x"})

    assert without_labels(LABELLER.label(said)) == said
    assert without_labels(said) is said


def test_what_was_labelled_is_valid():
    """By R4 and by our own rules."""
    resource = _resource(ICD, "B20", "code")
    _labels(resource)
    errors = [
        each
        for each in Validator(definitions(), Profiles([])).check(resource)
        if each.severity in ("error", "fatal")
    ]

    assert errors == []


@pytest.mark.parametrize(
    "table",
    [
        "[[rule]]\nvalue_set = 'urn:none'\nlabels = []",
        "[[rule]]\nlabels = ['HIV']",
        "[[rule]]\nvalue_set = 'https://fhir-bridge.org/fhir/ValueSet/sensitive-hiv'\nlabels = []\nlevel = 'X'",
        "[[rule]]\nvalue_set = 'https://fhir-bridge.org/fhir/ValueSet/sensitive-hiv'\nlabels = []\nage = 3",
        "[[",
    ],
)
def test_a_table_that_cannot_be_used_stops_the_start(tmp_path, table):
    """With the file and the reason: a rule that is dropped in silence would leave data open."""
    path = tmp_path / "profiles" / "sensitivity" / "labels.toml"
    path.parent.mkdir(parents=True)
    path.write_text(table)

    with pytest.raises(BridgeError, match="FB-5110"):
        load_label_rules(Artifacts(tmp_path))

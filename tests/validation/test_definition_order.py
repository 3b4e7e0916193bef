"""Where elements and slices of a StructureDefinition stand, and rules that always have an answer."""

import pytest

from fhir_bridge.artifacts import Artifacts
from fhir_bridge.conformance import Profiles
from fhir_bridge.fhir import definitions
from fhir_bridge.validation import Validator
from tests.structure_definitions import R4, constraint

BASE = "https://hospital.example/StructureDefinition/base"
SLICING = {"discriminator": [{"type": "value", "path": "system"}], "rules": "open"}


def _profile(*elements, url="https://hospital.example/StructureDefinition/x", base=f"{R4}Patient"):
    return constraint("Patient", [_element(each) for each in elements], url=url, base=base)


def _element(text):
    """``Patient.identifier:a.system`` as an element; ``Patient.identifier*`` with a slicing."""
    if isinstance(text, dict):
        return text
    identifier = text.removesuffix("*")
    steps = [step.partition(":") for step in identifier.split(".")]
    element = {"id": identifier, "path": ".".join(name for name, _, _ in steps)}
    if steps[-1][2]:
        element["sliceName"] = steps[-1][2]
    if text.endswith("*"):
        element["slicing"] = SLICING
    return element


PROFILES = Profiles(
    [
        _profile("Patient", "Patient.identifier*", "Patient.identifier:a", url=BASE),
        *Profiles.from_artifacts(Artifacts()).structure_definitions.values(),
    ]
)
VALIDATOR = Validator(definitions(), PROFILES)


def _faults(profile):
    return [
        (issue.code, issue.where.rpartition("element[")[2].partition("]")[0])
        for issue in VALIDATOR.check(profile)
    ]


@pytest.mark.parametrize(
    "elements",
    [
        [
            "Patient",
            "Patient.id",
            "Patient.identifier",
            "Patient.identifier.system",
            "Patient.name",
        ],
        ["Patient.identifier*", "Patient.identifier.value", "Patient.identifier:a", "Patient.name"],
        ["Patient.extension:a", "Patient.extension:b", "Patient.identifier"],
        ["Patient.identifier*", "Patient.identifier:a*", "Patient.identifier:a/b"],
        ["Patient.deceased[x]", "Patient.deceased[x]:deceasedBoolean", "Patient.maritalStatus"],
        ["Patient.deceasedBoolean", "Patient.address"],
        ["Patient.contact.name.family", "Patient.contact.telecom"],
        [
            "Patient.extension:a",
            {
                "id": "Patient.extension:a.value[x]",
                "path": "Patient.extension.value[x]",
                "type": [{"code": "Identifier"}],
            },
            "Patient.extension:a.value[x].type",
            "Patient.extension:a.value[x].value",
        ],
    ],
)
def test_elements_in_the_order_of_their_type_are_accepted(elements):
    """Inherited elements, slices, re-slices, choices and their short forms included."""
    assert [] == _faults(_profile(*elements))


@pytest.mark.parametrize(
    ("elements", "index"),
    [
        (["Patient.name", "Patient.identifier"], "1"),
        (["Patient.identifier.value", "Patient.identifier.system"], "1"),
        (["Patient.identifier*", "Patient.identifier:a", "Patient.identifier.value"], "2"),
        (["Patient.identifier.value", "Patient.identifier"], "1"),
        (["Patient.name", "Patient.name"], "1"),
        (["Patient.deceasedBoolean", "Patient.gender"], "1"),
        (["Patient.contact.telecom", "Patient.contact.name.family"], "1"),
    ],
)
def test_an_element_out_of_order_is_named(elements, index):
    """Other tools refuse it or lose its rule without a word."""
    faults = [fault for fault in _faults(_profile(*elements)) if fault[0] == "FB-3031"]

    assert [("FB-3031", index)] == faults


@pytest.mark.parametrize(
    ("elements", "index"),
    [
        (["Patient.identifier:a"], "0"),
        (["Patient.identifier*", "Patient.identifier:a.system"], "1"),
        (["Patient.identifier*", "Patient.identifier:a/b"], "1"),
        (
            [
                "Patient.identifier*",
                "Patient.identifier:a",
                "Patient.identifier:b",
                "Patient.identifier:a.value",
            ],
            "3",
        ),
    ],
)
def test_a_slice_stands_after_its_slicing_and_in_one_piece(elements, index):
    """A slice of nothing, children of a slice that is not there, children that come too late."""
    assert ("FB-3031", index) in _faults(_profile(*elements))


def test_slices_of_the_base_are_known_and_come_first():
    """A profile of a profile may speak of its slices, in their order."""
    good = _profile("Patient.identifier:a.value", "Patient.identifier:b", base=BASE)
    bad = _profile("Patient.identifier:b", "Patient.identifier:a.value", base=BASE)

    assert [] == _faults(good)
    assert [("FB-3031", "1")] == _faults(bad)


def _ruled(expression, path="Patient", severity="error"):
    rule = {"key": "x-1", "severity": severity, "human": "x", "expression": expression}
    return _profile({"id": path, "path": path, "constraint": [rule]})


@pytest.mark.parametrize(
    ("path", "expression"),
    [
        ("Patient", "birthDate <= today()"),
        ("Patient", "gender != 'male' or name.exists()"),
        ("Patient", "gender = 'male' implies name.exists()"),
        ("Patient.identifier", "value.length() != 18 or value = %resource.birthDate.toString()"),
        ("Patient.identifier", "period.start <= period.end"),
        ("Patient.contact", "gender = 'male'"),
        ("Patient.name.given", "length() > 1 and %resource.birthDate > @2000-01-01"),
    ],
)
def test_a_rule_without_an_answer_is_refused_with_an_instance_that_shows_it(path, expression):
    """Some tools take nothing as kept, others as broken."""
    issue = VALIDATOR.check(_ruled(expression, path))[0]

    assert "FB-3032" == issue.code
    assert issue.where.endswith(".constraint[0]")
    assert issue.details["instance"].startswith(('{"', '"'))


@pytest.mark.parametrize(
    ("path", "expression"),
    [
        ("Patient", "iif(birthDate > today(), false, true)"),
        ("Patient", "birthDate.where($this > today()).empty()"),
        ("Patient", "name.exists() or identifier.exists()"),
        ("Patient", "gender.hasValue()"),
        ("Patient.identifier", "value.where(matches('^[0-9]+$').not()).empty()"),
        ("Patient.name.given", "matches('^[A-Z]')"),
        ("Patient.contact", "name.exists() or telecom.exists() or address.exists()"),
    ],
)
def test_a_rule_that_always_has_an_answer_is_accepted(path, expression):
    """Whether the answer is true or false is another matter."""
    assert [] == _faults(_ruled(expression, path))


def test_what_the_profile_requires_is_there():
    """The rule need not answer where an object is missing that must be; a value may be an extension."""
    rule = {
        "key": "x-1",
        "severity": "error",
        "human": "x",
        "expression": "period = period",
    }
    holder = {"id": "Patient.identifier", "path": "Patient.identifier", "constraint": [rule]}
    period = {"id": "Patient.identifier.period", "path": "Patient.identifier.period", "min": 1}
    matched = _ruled("value.matches('^1')", "Patient.identifier")
    value = {"id": "Patient.identifier.value", "path": "Patient.identifier.value", "min": 1}
    matched["differential"]["element"].append(value)

    assert ["FB-3032"] == [code for code, _ in _faults(_profile(holder))]
    assert [] == _faults(_profile(holder, period))
    assert ["FB-3032"] == [code for code, _ in _faults(matched)]


def test_a_warning_without_an_answer_is_a_warning():
    """It never refuses a record, so it does not refuse the definition."""
    issues = VALIDATOR.check(_ruled("birthDate <= today()", severity="warning"))

    assert [("FB-3032", "warning")] == [(issue.code, issue.severity) for issue in issues]


@pytest.mark.parametrize("url", sorted(Profiles.from_artifacts(Artifacts()).structure_definitions))
def test_our_definitions_have_no_finding_at_all(url):
    """Neither an error nor a warning: what we ship is read alike by every tool."""
    assert [] == VALIDATOR.check(PROFILES.structure_definition(url))

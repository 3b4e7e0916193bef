"""The second opinion of fhir.resources."""

from fhir_bridge.fhir import models


def test_a_sound_resource_gets_no_objection() -> None:
    """Decimals and choice elements pass through JSON."""
    assert [] == models.check({"resourceType": "Patient", "id": "1", "birthDate": "1990-03-07"})


def test_faults_are_issues_with_a_place_and_without_the_value() -> None:
    """What was wrong may be patient data and is not repeated."""
    issues = models.check({"resourceType": "Patient", "birthDate": "zhangsan", "nonsense": 1})

    assert {"Patient.birthDate", "Patient.nonsense"} == {issue.where for issue in issues}
    assert not any("zhangsan" in str(issue) for issue in issues)


def test_a_type_that_only_r4_has_is_said_to_be_unknown() -> None:
    """The library holds R4B; an absent opinion is not an objection."""
    issues = models.check({"resourceType": "EffectEvidenceSynthesis"})

    assert [("FB-3024", "information")] == [(issue.code, issue.severity) for issue in issues]


def test_an_unknown_contained_type_is_an_issue() -> None:
    """The library would raise a bare KeyError."""
    issues = models.check({"resourceType": "Patient", "contained": [{"resourceType": "Nonsense"}]})

    assert ["FB-3020"] == [issue.code for issue in issues]

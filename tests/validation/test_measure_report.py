"""A report is judged by the Measure that it names."""

from fhir_bridge.conformance import Profiles
from fhir_bridge.fhir import definitions
from fhir_bridge.validation import Validator

URL = "https://hospital.example/Measure/signed"


def _concept(code):
    return {"coding": [{"system": "urn:oid:1.2.3", "code": code}]}


MEASURE = {
    "resourceType": "Measure",
    "url": URL,
    "status": "active",
    "group": [
        {
            "code": _concept("all"),
            "population": [
                {"code": _concept("n"), "criteria": {"language": "text/fhirpath", "expression": "true"}}
            ],
            "stratifier": [{"code": _concept("sex")}],
        }
    ],
}  # fmt: skip
VALIDATOR = Validator(definitions(), Profiles([MEASURE]))


def _faults(group, report_type="summary"):
    report = {
        "resourceType": "MeasureReport",
        "measure": URL,
        "status": "complete",
        "type": report_type,
        "period": {"start": "2026-01", "end": "2026-02"},
        "group": [group],
    }
    return [(issue.code, issue.where) for issue in VALIDATOR.check(report)]


def test_a_report_of_the_parts_of_its_measure_is_sound():
    """Groups, populations and stratifiers are found by their codes."""
    population = [{"code": _concept("n"), "count": 3}]
    stratifier = [{"code": [_concept("sex")]}]

    assert [] == _faults(
        {"code": _concept("all"), "population": population, "stratifier": stratifier}
    )


def test_parts_that_the_measure_does_not_have_are_named():
    """A code that means nothing to the Measure cannot be compared between reports."""
    where = "MeasureReport.group[0]"

    assert [("FB-3029", where)] == _faults({"code": _concept("other")})
    assert [("FB-3029", f"{where}.population[0]")] == _faults(
        {"population": [{"code": _concept("m"), "count": 3}]}
    )
    assert [("FB-3029", f"{where}.stratifier[0]")] == _faults(
        {"stratifier": [{"code": [_concept("age")]}]}
    )


def test_only_a_subject_list_lists_subjects():
    """The type of a report says whether it may name persons."""
    listed = {"code": _concept("n"), "subjectResults": {"reference": "List/1"}}

    assert [("FB-3029", "MeasureReport.group[0].population[0]")] == _faults(
        {"population": [listed]}
    )
    assert [] == _faults({"population": [listed]}, "subject-list")

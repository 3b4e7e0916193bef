"""Issues as OperationOutcome."""

from fhir_bridge.errors import Issue
from fhir_bridge.fhir import ERROR_CODE_SYSTEM, operation_outcome
from fhir_bridge.validation import validate


def test_an_issue_carries_code_sentence_hint_and_place() -> None:
    """A place inside a resource is an expression."""
    issue = Issue("FB-3003", "error", "Patient.name[0]", {"name": "text"})

    outcome = operation_outcome([issue])

    rendered = outcome["issue"][0]
    assert rendered["code"] == "required"
    assert rendered["details"]["coding"] == [{"system": ERROR_CODE_SYSTEM, "code": "FB-3003"}]
    assert rendered["details"]["text"] == "The required element text is missing."
    assert rendered["expression"] == ["Patient.name[0]"]
    assert rendered["diagnostics"]


def test_a_place_in_a_message_is_a_location() -> None:
    """Segments and lines are not FHIRPath."""
    for place in ("PID-3[2].4", "line 12", "row 7, column 身份证号"):
        assert operation_outcome([Issue("FB-1011", where=place)])["issue"][0]["location"] == [place]


def test_no_issue_at_all_is_said_in_words() -> None:
    """Nothing wrong is one issue of severity information: issue is 1..*."""
    outcome = operation_outcome([])

    assert outcome["issue"][0]["severity"] == "information"
    assert validate(outcome)["issue"][0]["severity"] == "information"

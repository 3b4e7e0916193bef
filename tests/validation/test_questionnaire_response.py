"""Answers are judged by the Questionnaire that asks for them."""

from typing import Any

import pytest

from fhir_bridge.conformance import Profiles
from fhir_bridge.fhir import definitions
from fhir_bridge.validation import Validator

URL = "https://hospital.example/Questionnaire/smoking"
QUESTIONNAIRE = {
    "resourceType": "Questionnaire",
    "url": URL,
    "status": "active",
    "item": [
        {"linkId": "smokes", "type": "boolean", "required": True},
        {
            "linkId": "daily",
            "type": "integer",
            "required": True,
            "enableWhen": [{"question": "smokes", "operator": "=", "answerBoolean": True}],
        },
        {
            "linkId": "history",
            "type": "group",
            "item": [
                {
                    "linkId": "kind",
                    "type": "choice",
                    "answerOption": [{"valueCoding": {"system": "urn:oid:1.2", "code": "c"}}],
                },
                {"linkId": "remark", "type": "string", "maxLength": 5},
            ],
        },
    ],
}
VALIDATOR = Validator(definitions(), Profiles([QUESTIONNAIRE]))


def _item(link_id: str, **rest: Any) -> dict[str, Any]:
    return {"linkId": link_id, **rest}


def _answered(link_id: str, **value: Any) -> dict[str, Any]:
    return _item(link_id, answer=[value])


NO = _answered("smokes", valueBoolean=False)
YES = _answered("smokes", valueBoolean=True)


def _faults(*items: dict[str, Any], status: str = "completed") -> list[tuple[str, str]]:
    response = {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": URL,
        "status": status,
        "item": list(items),
    }
    return [(issue.code, issue.where) for issue in VALIDATOR.check(response)]


@pytest.mark.parametrize(
    "items",
    [
        [NO],
        [YES, _answered("daily", valueInteger=3)],
        [NO, _item("history", item=[_answered("kind", valueCoding={"system": "urn:oid:1.2", "code": "c"})])],
        [NO, _item("history", item=[_answered("remark", valueString="12345")])],
    ],
)  # fmt: skip
def test_answers_that_fit_are_sound(items):
    """Enabled questions are answered, disabled ones are not, options are those offered."""
    assert [] == _faults(*items)


@pytest.mark.parametrize(
    ("items", "where"),
    [
        ([NO, _answered("extra", valueBoolean=True)], ".item[1]"),
        ([NO, _answered("remark", valueString="x")], ".item[1]"),
        ([_item("history", item=[_answered("remark", valueString="x")]), NO], ".item[1]"),
        ([NO, NO], ""),
        ([_item("smokes", answer=[{"valueBoolean": True}, {"valueBoolean": False}])], ".item[0]"),
        ([_answered("smokes", valueString="no")], ".item[0].answer[0]"),
        ([NO, _answered("daily", valueInteger=3)], ".item[1]"),
        ([YES], ""),
        ([NO, _item("history", item=[_answered("kind", valueCoding={"system": "urn:oid:1.2", "code": "x"})])], ".item[1].item[0].answer[0].value.ofType(Coding)"),
        ([NO, _item("history", item=[_answered("remark", valueString="123456")])], ".item[1].item[0].answer[0].value.ofType(string)"),
    ],
    ids=["unknown", "other-level", "order", "twice", "two-answers", "type", "disabled", "required", "option", "length"],
)  # fmt: skip
def test_each_kind_of_misfit_is_named_where_it_stands(items, where):
    """An item that is not asked here, not so, not now, or not answered."""
    assert ("FB-3028", f"QuestionnaireResponse{where}") in _faults(*items)


def test_what_is_in_progress_may_leave_required_questions_open():
    """Only a completed or amended response must be whole."""
    assert [] == _faults(YES, status="in-progress")


def test_a_contained_questionnaire_is_found():
    """The response brings the questions along (an adaptive Questionnaire)."""
    response = {
        "resourceType": "QuestionnaireResponse",
        "contained": [{**QUESTIONNAIRE, "id": "q"}],
        "questionnaire": "#q",
        "status": "completed",
        "item": [_answered("extra", valueBoolean=True)],
    }

    assert "FB-3028" in {issue.code for issue in VALIDATOR.check(response)}


def test_an_unknown_questionnaire_is_not_judged():
    """What is not here cannot be compared with."""
    response = {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": "https://elsewhere.example/Questionnaire/1",
        "status": "completed",
        "item": [_answered("extra", valueBoolean=True)],
    }

    assert [] == VALIDATOR.check(response)

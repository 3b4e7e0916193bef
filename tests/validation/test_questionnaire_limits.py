"""What a question asks of its answers by extensions: bounds, form, size and number."""

from typing import Any

import pytest

from fhir_bridge.conformance import Profiles
from fhir_bridge.fhir import definitions, parse_json, render_json
from fhir_bridge.validation import Validator

R4 = "http://hl7.org/fhir/StructureDefinition/"
SDC = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-"
URL = "https://hospital.example/Questionnaire/limits"
ML = {"system": "http://unitsofmeasure.org", "code": "mL"}
LITRE = {"system": "http://unitsofmeasure.org", "code": "L"}


def _limit(url: str, **value: Any) -> dict[str, Any]:
    return {"extension": [{"url": url, **value}]}


def _faults(question: dict[str, Any], *answers: dict[str, Any]) -> list[str]:
    questionnaire = {
        "resourceType": "Questionnaire",
        "url": URL,
        "status": "active",
        "item": [{"linkId": "q", "repeats": True, **question}],
    }
    item = {"linkId": "q"} | ({"answer": list(answers)} if answers else {})
    response = {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": URL,
        "status": "completed",
        "item": [item],
    }
    validator = Validator(definitions(), Profiles([questionnaire]))
    return [
        issue.where.removeprefix("QuestionnaireResponse.item[0]")
        for issue in validator.check(parse_json(render_json(response)))
        if issue.code == "FB-3028"
    ]


@pytest.mark.parametrize(
    ("kind", "limit", "good", "bad"),
    [
        ("integer", _limit(f"{R4}minValue", valueInteger=3), {"valueInteger": 3}, {"valueInteger": 2}),
        ("integer", _limit(f"{R4}maxValue", valueInteger=3), {"valueInteger": 3}, {"valueInteger": 4}),
        ("date", _limit(f"{R4}minValue", valueDate="2024-05"), {"valueDate": "2024-05-02"}, {"valueDate": "2024-04-30"}),
        ("date", _limit(f"{R4}maxValue", valueDate="2024"), {"valueDate": "2024-12-31"}, {"valueDate": "2025-01"}),
        ("string", _limit(f"{R4}minLength", valueInteger=3), {"valueString": "abc"}, {"valueString": "ab"}),
        ("string", _limit(f"{R4}regex", valueString=r"\p{L}+ [0-9]"), {"valueString": "楼 3"}, {"valueString": "楼3"}),
        ("decimal", _limit(f"{R4}maxDecimalPlaces", valueInteger=1), {"valueDecimal": 3.5}, {"valueDecimal": 3.25}),
        ("quantity", _limit(f"{SDC}maxQuantity", valueQuantity={"value": 2, **LITRE}), {"valueQuantity": {"value": 1500, **ML}}, {"valueQuantity": {"value": 2500, **ML}}),
        ("quantity", _limit(f"{SDC}minQuantity", valueQuantity={"value": 2, **LITRE}), {"valueQuantity": {"value": 2, **LITRE}}, {"valueQuantity": {"value": 9, "unit": "cup"}}),
        ("reference", _limit(f"{R4}questionnaire-referenceResource", valueCode="Patient"), {"valueReference": {"reference": "Patient/1"}}, {"valueReference": {"reference": "Group/1"}}),
        ("attachment", _limit(f"{R4}maxSize", valueDecimal=3), {"valueAttachment": {"data": "YWJj"}}, {"valueAttachment": {"data": "YWJjZA=="}}),
        ("attachment", _limit(f"{R4}mimeType", valueCode="image/png"), {"valueAttachment": {"contentType": "image/png"}}, {"valueAttachment": {"contentType": "text/html"}}),
    ],
)  # fmt: skip
def test_an_answer_keeps_within_what_its_question_allows(kind, limit, good, bad):
    """A value on the bound is within it; the place is that of the value."""
    assert [] == _faults({"type": kind, **limit}, good)
    (form,) = bad
    name = form.removeprefix("value")
    name = name if isinstance(bad[form], dict) else name[:1].lower() + name[1:]
    assert [f".answer[0].value.ofType({name})"] == _faults({"type": kind, **limit}, bad)


def test_an_answer_of_any_type_must_be_one_that_is_offered():
    """Dates, numbers and texts have options as well as codes."""
    question = {"type": "date", "answerOption": [{"valueDate": "2024-01-01"}]}

    assert [] == _faults(question, {"valueDate": "2024-01-01"})
    assert [".answer[0].value.ofType(date)"] == _faults(question, {"valueDate": "2024-01-02"})


def test_an_item_is_answered_as_often_as_is_asked():
    """At least and at most, counted over all its answers."""
    least = {"type": "string", **_limit(f"{R4}questionnaire-minOccurs", valueInteger=2)}
    most = {"type": "string", **_limit(f"{R4}questionnaire-maxOccurs", valueInteger=1)}
    one, two = {"valueString": "a"}, {"valueString": "b"}

    assert [] == _faults(least, one, two)
    assert [""] == _faults(least, one)
    assert [] == _faults(most, one)
    assert [""] == _faults(most, one, two)


def test_an_exclusive_option_is_given_alone():
    """None of these, beside one of these, says two things."""
    none = {
        "valueCoding": {"code": "none"},
        **_limit(f"{R4}questionnaire-optionExclusive", valueBoolean=True),
    }
    question = {"type": "choice", "answerOption": [none, {"valueCoding": {"code": "fever"}}]}
    fever = {"valueCoding": {"code": "fever"}}

    assert [] == _faults(question, {"valueCoding": {"code": "none"}})
    assert [".answer[1]"] == _faults(question, fever, {"valueCoding": {"code": "none"}})


def test_what_is_no_question_has_no_answer():
    """Groups and displays ask nothing; the type "question" is abstract."""
    for kind in ("display", "group", "question"):
        assert [""] == _faults({"type": kind}, {"valueString": "a"}), kind

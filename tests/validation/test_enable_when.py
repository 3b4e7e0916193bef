"""enableWhen, operator by operator."""

import pytest

from fhir_bridge.validation.resources.enable_when import is_enabled


def _when(operator, **answer):
    return {"question": "q", "operator": operator, **answer}


def _items(*values):
    return [{"linkId": "q", "answer": [{"valueInteger": value} for value in values]}]


@pytest.mark.parametrize(
    ("expected", "condition", "given"),
    [
        (True, _when("exists", answerBoolean=True), _items(1)),
        (False, _when("exists", answerBoolean=True), []),
        (True, _when("exists", answerBoolean=False), []),
        (True, _when("=", answerInteger=2), _items(1, 2)),
        (False, _when("=", answerInteger=2), _items(1)),
        (False, _when("!=", answerInteger=2), _items(1, 2)),
        (True, _when("!=", answerInteger=2), _items(1)),
        (None, _when("!=", answerInteger=2), []),
        (True, _when(">", answerInteger=2), _items(3)),
        (False, _when(">", answerInteger=2), _items(2)),
        (True, _when(">=", answerInteger=2), _items(2)),
        (True, _when("<", answerInteger=2), _items(1)),
        (True, _when("<=", answerInteger=2), _items(2)),
        (False, _when("<=", answerInteger=2), _items(3)),
    ],
)
def test_an_operator_compares_the_answers_with_its_own(expected, condition, given):
    """True, False, or None where the specification may be read either way."""
    assert is_enabled({"enableWhen": [condition]}, (given,)) is expected


@pytest.mark.parametrize(("behavior", "expected"), [("any", True), ("all", False)])
def test_several_conditions_are_joined_by_their_behaviour(behavior, expected):
    """One of two holds."""
    conditions = [_when("=", answerInteger=1), _when("=", answerInteger=2)]

    assert (
        is_enabled({"enableWhen": conditions, "enableBehavior": behavior}, (_items(1),)) is expected
    )


def test_the_nearest_level_with_the_question_counts():
    """A repeating group asks about itself, not about its twin further out."""
    condition = {"enableWhen": [_when("=", answerInteger=1)]}

    assert is_enabled(condition, (_items(2), _items(1))) is False

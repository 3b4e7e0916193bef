"""The model of what is true: small, independent, and right in the cases a person can check."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from tests.histories.coverage import Coverage
from tests.histories.events import CLASSES, NULL, Event
from tests.histories.generator import history
from tests.histories.hl7 import message
from tests.histories.model import Truth
from tests.histories.numbers import Numbers

MODEL = ("model.py", "events.py", "words.py", "sender.py", "generator.py")


def told(*events: Event) -> Truth:
    """The truth after `events`."""
    truth = Truth()
    for event in events:
        truth.apply(event)
    return truth


def said(source: str, minute: int, number: str = "", **words: str) -> Event:
    """A message about a person."""
    number = number or f"{source.lower()}0"
    return Event("x", source, "A08", number, minute, {"person": words})


def shown(truth: Truth, element: str) -> list[str]:
    """What each record of the first person says of an element, the most trusted first."""
    records = [truth.said_of(record) for record in truth.persons()[0]]
    return [str(each[element]) for each in records if element in each]


@pytest.mark.parametrize("name", MODEL)
def test_the_model_imports_nothing_of_the_product(name):
    """What is true is written a second time, from the rule and not from the code."""
    tree = ast.parse((Path(__file__).parent / name).read_text(encoding="utf-8"))
    imported = {
        each.module or "" if isinstance(each, ast.ImportFrom) else each.names[0].name
        for each in ast.walk(tree)
        if isinstance(each, ast.Import | ast.ImportFrom)
    }
    parts = {each.partition(".")[0] for each in imported}

    assert parts <= {*sys.stdlib_module_names, "tests"}
    assert all(
        each.partition(".")[0] != "tests" or f"{each.rpartition('.')[2]}.py" in MODEL
        for each in imported
    )


def test_what_is_absent_stays_and_null_takes_only_the_speakers_own_word_back():
    """The second hospital's null uncovers nothing of the first's and leaves its own name."""
    both = (
        said("A", 1, citizen="n0", marital="M"),
        said("B", 2, citizen="n0", marital="S", home="1"),
    )

    assert shown(told(*both), "marital") == ["M", "S"]
    assert shown(told(*both, said("B", 3, marital=NULL)), "marital") == ["M"]
    assert shown(told(*both, said("A", 3, marital=NULL)), "marital") == ["S"]
    assert shown(told(*both, said("B", 3, marital=NULL)), "home") == ["1"]


def test_an_older_word_never_replaces_a_newer_one_but_fills_what_nobody_said():
    """Event time counts, whatever the order of arrival; a null keeps its time too."""
    late = said("A", 5, marital="S", home="1")

    assert shown(told(said("A", 9, marital="M"), late), "marital") == ["M"]
    assert shown(told(said("A", 9, marital="M"), late), "home") == ["1"]
    assert shown(told(said("A", 9, marital=NULL), late), "marital") == []


def test_the_public_health_office_is_heard_first_and_a_given_up_number_last():
    """The order of trust: public health, contract, hospitals; then the number given up."""
    merge = Event("merge", "A", "A40", "a0", 5, {"person": {}}, other="x0")
    events = (said("A", 1, "x0", home="x"), said("A", 2, citizen="n0", home="a"), merge)

    assert shown(told(*events, said("C", 0, citizen="n0", home="c")), "home") == ["c", "a", "x"]
    assert len(told(*events, said("B", 3, home="b")).persons()) == 2


def test_a_repeat_changes_nothing_also_of_an_older_message():
    """Sent again under a new control id, or worked on again: the same statement."""
    first, second = said("A", 1, home="1"), said("A", 2, home="2")
    for act in ("same", "again", "replay"):
        assert shown(told(first, second, Event("repeat", "A", act, of=0)), "home") == ["2"]


def test_a_seed_always_gives_the_same_history():
    """Also the same bytes; another seed gives another history."""
    assert history(7) == history(7) != history(8)
    bytes_ = [
        message(each, Numbers(1), "M") for each in history(7) if each.source in "AB" and each.of < 0
    ]
    assert bytes_ == [
        message(each, Numbers(1), "M") for each in history(7) if each.source in "AB" and each.of < 0
    ]


def test_every_class_of_events_follows_every_other():
    """In the long run at least a hundred times; here in a fifth of it."""
    coverage = Coverage()
    for seed in range(2_000):
        events = history(seed)
        assert 5 <= len(events) <= 40
        assert {each.klass for each in events} <= set(CLASSES)
        coverage.add(events)

    assert coverage.rarest[1] >= 20

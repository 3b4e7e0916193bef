"""Words that are said again renew what they said, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_bridge.fhir.marks import NULL

from .speaking import Record, entry

MARRIED, SINGLE = {"text": "married"}, {"text": "single"}


def person(*numbers: str, **content: Any) -> dict[str, Any]:
    """A statement of a person known by `numbers`, whose name and birth date it says."""
    return entry(
        "Patient",
        identifier=[{"system": f"urn:p{number[0]}", "value": number} for number in numbers],
        name=[{"use": "official", "family": "One"}],
        birthDate="1970-01-01",
        **content,
    )


def place(**content: Any) -> dict[str, Any]:
    """A statement of the ward with number 7."""
    return entry(
        "Location", identifier=[{"system": "urn:l", "value": "7"}], status="active", **content
    )


STATEMENTS = {"Patient": (lambda **more: person("a1", **more), "maritalStatus"),
              "Location": (place, "physicalType")}  # fmt: skip


@pytest.mark.parametrize("kind", STATEMENTS)
@pytest.mark.parametrize("restarted", [False, True])
def test_a_repeat_does_not_renew_what_another_message_took_back(
    record: Record, kind: str, restarted: bool
) -> None:
    """What arrives late and is newer than the null counts, also when older words were heard since."""
    state, element = STATEMENTS[kind]
    record.say(state(), at="2026-01-01")
    record.say(state(**{element: {"text": NULL}}), at="2026-03-01")
    if restarted:
        record.resolver.forget(everything=True)
    record.say(state(), at="2026-01-01", again=1)
    record.say(state(), at="2026-05-01")
    record.say(state(**{element: MARRIED}), at="2026-04-01")
    assert record.one(kind)[element] == MARRIED


@pytest.mark.parametrize("kind", STATEMENTS)
@pytest.mark.parametrize("restarted", [False, True])
def test_a_repeat_does_not_renew_what_another_message_said(
    record: Record, kind: str, restarted: bool
) -> None:
    """The same with a value."""
    state, element = STATEMENTS[kind]
    record.say(state(), at="2026-01-01")
    record.say(state(**{element: SINGLE}), at="2026-03-01")
    if restarted:
        record.resolver.forget(everything=True)
    record.say(state(), at="2026-01-01", again=1)
    record.say(state(), at="2026-05-01")
    record.say(state(**{element: MARRIED}), at="2026-04-01")
    assert record.one(kind)[element] == MARRIED


@pytest.mark.parametrize("kind", STATEMENTS)
def test_a_repeat_renews_what_it_says(record: Record, kind: str) -> None:
    """What arrives late and is older than the repeat does not count."""
    state, element = STATEMENTS[kind]
    record.say(state(**{element: SINGLE}), at="2026-01-01")
    record.say(state(**{element: SINGLE}), at="2026-05-01")
    record.say(state(**{element: MARRIED}), at="2026-04-01")
    assert record.one(kind)[element] == SINGLE


def test_words_under_another_number_of_the_person_are_newer_words(record: Record) -> None:
    """A source that knows a person by two numbers says one thing of one person."""
    record.say(person("a1", "b1"), at="2026-01-01")
    record.say(person("a1"), at="2026-01-02")
    record.say(person("b1", "a1", maritalStatus={"text": NULL}), at="2026-03-01")
    record.say(person("a1"), at="2026-05-01")
    record.say(person("a1", maritalStatus=MARRIED), at="2026-04-01")
    assert record.one("Patient")["maritalStatus"] == MARRIED

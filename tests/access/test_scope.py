"""Scopes of SMART App Launch: read, compared, and never given wider than they read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_bridge.access import Scopes, read_scopes
from fhir_bridge.fhir import definitions

TYPES = definitions().resource_types


def read(text: str) -> Scopes:
    """The scopes of a text."""
    return read_scopes(text, TYPES)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("patient/Observation.rs", ("patient", "Observation", "rs", ())),
        ("user/*.cruds", ("user", "*", "cruds", ())),
        ("system/Patient.s", ("system", "Patient", "s", ())),
        ("patient/*.read", ("patient", "*", "rs", ())),
        ("user/Patient.write", ("user", "Patient", "cud", ())),
        ("patient/Condition.*", ("patient", "Condition", "cruds", ())),
        (
            "patient/Observation.rs?category=http://t|laboratory",
            ("patient", "Observation", "rs", (("category", "http://t|laboratory"),)),
        ),
        (
            "patient/Observation.rs?code=a&status=final",
            ("patient", "Observation", "rs", (("code", "a"), ("status", "final"))),
        ),
    ],
)
def test_a_resource_scope_says_whose_which_and_what(
    text: str, expected: tuple[object, ...]
) -> None:
    """Version 1 means letters of version 2, and keeps its text for the answer."""
    (scope,) = read(text).resources

    assert (scope.level, scope.resource_type, scope.interactions, scope.query) == expected
    assert str(read(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "patient/Observation.sr",  # not in the order of cruds
        "patient/Observation.dus?",
        "patient/Observation.",
        "patient/Observation.rr",
        "patient/Nothing.rs",
        "group/Observation.rs",
        "patient/observation.rs",
        "patient/Observation.rs?",
        "patient/Observation.rs?category",
        "patient/Observation.rs?code:not=a",
        "patient/Observation.rs?subject.name=a",
        "patient/Observation.rs?_filter=a",
        "patient/Observation.rs?_count=1",
        "patient/Observation.rs?_include=Observation:subject",
        "patient/Observation.read?code=a",  # version 1 had no searches
        "patient/Observation.rs\x00",
        "launch/practitioner",
        "admin",
    ],
)
def test_what_is_no_scope_is_refused_by_its_word(text: str) -> None:
    """A limit that cannot be kept is not left out."""
    scopes = read(f"openid {text}")

    assert scopes.refused == (text,)
    assert scopes.resources == ()
    assert scopes.others == {"openid"}


def test_a_scope_for_everything_covers_a_part_and_not_the_other_way_round() -> None:
    """Who refreshes may ask for less."""
    given_ = read("openid offline_access patient/*.rs patient/Observation.cruds")

    assert given_.covers(read("patient/Condition.r"))
    assert given_.covers(read("patient/Observation.cruds?category=laboratory openid"))
    for more in (
        "patient/Condition.c",
        "user/Condition.r",
        "fhirUser",
        "patient/*.rus",
        "patient/Condition.sr",
    ):
        assert not given_.covers(read(more)), more


def test_a_limited_scope_covers_only_what_is_limited_as_much() -> None:
    """The laboratory's results are not all results."""
    limited = read("patient/Observation.rs?category=laboratory")

    assert limited.covers(read("patient/Observation.r?category=laboratory&status=final"))
    assert not limited.covers(read("patient/Observation.r"))
    assert not limited.covers(read("patient/Observation.r?category=vital-signs"))


def test_what_a_person_unticks_is_not_given() -> None:
    """The others stay, in the order they were asked for."""
    asked = read("launch/patient patient/Observation.rs patient/Condition.rs offline_access")
    kept = asked.only(["launch/patient", "patient/Condition.rs"])

    assert str(kept) == "launch/patient patient/Condition.rs"


def test_too_many_or_too_long_is_refused_as_a_whole() -> None:
    """An address is no place for a list of a thousand."""
    many = " ".join(f"patient/Observation.rs?code=c{number}" for number in range(201))

    for text in (many, "openid " + "x" * 10_000):
        assert read(text).refused
        assert not read(text).resources
        assert not read(text).others


@given(st.text(alphabet="patienuserysm/*.crudsObvxliq?&=:_ 1", max_size=60))
def test_every_word_is_given_or_refused(text: str) -> None:
    """Nothing is left out in silence, and what is given reads the same again."""
    scopes = read(text)

    words = set(text.split())
    assert {each.text for each in scopes.resources} | scopes.others | {*scopes.refused} == words
    assert read(str(scopes)).resources == scopes.resources

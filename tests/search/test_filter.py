"""The text of ``_filter``: read as R4 writes it, or refused at a character."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import definitions
from fhir_bridge.search import Registry, parse_search
from fhir_bridge.search.filter_text import (
    Combined,
    Comparison,
    Negated,
    Step,
    parse_filter,
)

_REGISTRY = Registry(definitions())


def _one(name: str, operator: str, value: str, position: int) -> Comparison:
    return Comparison((Step(name),), operator, value, position)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("code eq http://loinc.org|1-1", _one("code", "eq", "http://loinc.org|1-1", 1)),
        (r'name co "a \"b\""', _one("name", "co", 'a "b"', 1)),
        (" ( a eq 1 ) ", _one("a", "eq", "1", 4)),
        ("not (a eq 1)", Negated(_one("a", "eq", "1", 6))),
        (
            "a eq 1 or b eq 2 and c eq 3",
            Combined(
                "and",
                (
                    Combined("or", (_one("a", "eq", "1", 1), _one("b", "eq", "2", 11))),
                    _one("c", "eq", "3", 22),
                ),
            ),
        ),
        (
            "a eq 1 or (b eq 2 and c eq 3)",
            Combined(
                "or",
                (
                    _one("a", "eq", "1", 1),
                    Combined("and", (_one("b", "eq", "2", 12), _one("c", "eq", "3", 23))),
                ),
            ),
        ),
        (
            "subject:Patient[active eq true].general-practitioner.name sw 李",
            Comparison(
                (
                    Step("subject:Patient", _one("active", "eq", "true", 17)),
                    Step("general-practitioner"),
                    Step("name"),
                ),
                "sw",
                "李",
                1,
            ),
        ),
    ],
)
def test_a_filter_is_read(text: str, tree: object) -> None:
    """Comparisons, strings of JSON, both words from left to right, brackets in paths."""
    assert parse_filter(text) == tree


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("", 1),
        ("name", 5),
        ("name xx 1", 6),
        ("name eq", 8),
        ('name eq "open', 9),
        ("name eq 1 name eq 2", 11),
        ("(name eq 1", 11),
        ("name eq 1)", 10),
        ("name eq 1,2", 10),
        ("subject[active eq true] eq 1", 24),
        ("subject[active eq true.name eq 1", 29),
        ("name.", 6),
        ("(" * 40 + "name eq 1" + ")" * 40, 18),
        ("not " * 40 + "name eq 1", 69),
        (" or ".join(["name eq 1"] * 300), 781),
        ("name eq 1 or name eq 2 and " * 20 + "name eq 1", 244),
        ("a" * 9_000, 8_000),
    ],
)
def test_what_cannot_be_read_is_refused_at_its_character(text: str, position: int) -> None:
    """Too deep, too many and too long are among it."""
    with pytest.raises(BridgeError) as refused:
        parse_filter(text)
    assert refused.value.code == "FB-4113"
    assert refused.value.issues[0].details["position"] == str(position)


@pytest.mark.parametrize(
    ("resource_type", "text", "code"),
    [
        ("Patient", "nonsense eq 1", "FB-4101"),
        ("Patient", "_filter eq 1", "FB-4101"),
        ("Patient", "_has eq 1", "FB-4101"),
        ("Patient", "name gt x", "FB-4114"),
        ("Patient", "name ne x", "FB-4114"),
        ("Patient", "gender co ma", "FB-4114"),
        ("Observation", "code ne 1-1", "FB-4114"),
        ("Observation", "code in urn:set", "FB-4114"),
        ("Patient", "birthdate ge soon", "FB-4103"),
        ("Patient", "gender pr maybe", "FB-4103"),
        ("Patient", "gender.name eq x", "FB-4103"),
        ("Patient", "general-practitioner:Patient.name eq x", "FB-4102"),
        ("Patient", "name:exact eq x", "FB-4102"),
        ("Patient", "organization.nonsense eq x", "FB-4101"),
        ("Patient", "organization[nonsense eq 1].name eq x", "FB-4101"),
    ],
)
def test_what_a_filter_cannot_ask_is_refused_by_name(
    resource_type: str, text: str, code: str
) -> None:
    """The refusal says where in the filter."""
    with pytest.raises(BridgeError) as refused:
        parse_search(resource_type, [("_filter", f"_id eq a and {text}")], _REGISTRY)
    lead = refused.value.issues[0]
    assert lead.code == code
    assert lead.where.startswith("_filter, character ")


_PIECES = st.sampled_from(
    [
        "name", "birthdate", "general-practitioner", "gender", "_id", "_lastUpdated", "organization",
        ".", "[", "]", "(", ")", " ", "  ", "eq", "ne", "co", "ge", "po", "pr", "re", "and", "or",
        "not", '"', '"x"', "true", "1970", "1970-01-01", "Patient/1", "\\", "|", "$", ":", "Organization",
        ",", "\x00", "\ud800", "王", "'", ";--",
    ]
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(
    st.one_of(
        st.lists(_PIECES, max_size=25).map("".join),
        st.lists(_PIECES, max_size=25).map(" ".join),
        st.text(max_size=60),
    )
)
def test_any_text_is_a_condition_or_a_refusal_with_its_place(text: str) -> None:
    """No text brings anything else."""
    if not text.strip():
        return
    where = ""
    try:
        parse_search("Patient", [("_filter", text)], _REGISTRY)
    except BridgeError as error:
        where = error.issues[0].where
    assert not where or where.startswith("_filter, character ")

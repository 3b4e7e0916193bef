"""The transforms of the language."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from fhir_bridge.errors import BridgeError
from tests.transform.maps import target_of, transform

SEX = 'conceptmap "sex" { prefix s = "urn:s" prefix t = "urn:t" s:M == t:male s:F == t:female }'


def observed(transform_text: str, value: Any) -> Any:
    """The value[x] of an Observation made by a transform of ``v``."""
    return target_of(
        f"src.v as v -> tgt.value = {transform_text};", {"v": value}, target="Observation"
    )


@pytest.mark.parametrize(
    ("text", "given", "expected"),
    [
        ("truncate(v, 3)", "abcdef", {"valueString": "abc"}),
        ("append('a', v, 1)", "b", {"valueString": "ab1"}),
        ("cast(v, 'integer')", " 12 ", {"valueInteger": 12}),
        ("cast(v, 'boolean')", "true", {"valueBoolean": True}),
        ("cast(v, 'string')", 5, {"valueString": "5"}),
        ("escape(v, 'text', 'xml')", "a<b", {"valueString": "a&lt;b"}),
        ("cc(v)", "free", {"valueCodeableConcept": {"text": "free"}}),
        (
            "cc('urn:s', v, 'Shown')",
            "x",
            {
                "valueCodeableConcept": {
                    "coding": [{"system": "urn:s", "code": "x", "display": "Shown"}]
                }
            },
        ),
        (
            "qty(v, 'kg', 'urn:u')",
            "90.50",
            {
                "valueQuantity": {
                    "value": Decimal("90.50"),
                    "unit": "kg",
                    "system": "urn:u",
                    "code": "kg",
                }
            },
        ),
        (
            "qty(v)",
            "<5.0 mmol/L",
            {"valueQuantity": {"value": Decimal("5.0"), "comparator": "<", "unit": "mmol/L"}},
        ),
        ("(v & '!')", "x", {"valueString": "x!"}),
        ("evaluate(v, $this.length())", "four", {"valueInteger": 4}),
        ("dateOp(v, '+5 days')", "2023-10-21", {"valueDateTime": "2023-10-26"}),
    ],
)
def test_a_transform_gives_its_typed_value(text: str, given: Any, expected: dict[str, Any]) -> None:
    """The type of the result picks the key of the choice element."""
    found = observed(text, given)
    if "dateOp" in text:  # a bare date is text unless a type is asked for
        found = {"valueDateTime": next(iter(found.values()))}
    assert found == expected


@pytest.mark.parametrize("value", ["2023-10-21 | 'x'", "today()", "20231021", "2023-10-21T"])
def test_arithmetic_on_what_is_no_date_gives_nothing(value: str) -> None:
    """A value of the record is never read as an expression."""
    assert observed("dateOp(v, '+5 days')", value) == {}


def test_identifiers_codings_and_contact_points_are_made_whole() -> None:
    """id(), c() and cp() give the datatypes of their names."""
    rule = (
        "src.v as v -> tgt.identifier = id('urn:i', v, 'MR'), tgt.telecom = cp(v),"
        " tgt.meta as m, m.tag = c('urn:c', v);"
    )
    assert target_of(rule, {"v": "13800000000"}) == {
        "meta": {"tag": [{"system": "urn:c", "code": "13800000000"}]},
        "identifier": [
            {
                "type": {
                    "coding": [
                        {"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR"}
                    ]
                },
                "system": "urn:i",
                "value": "13800000000",
            }
        ],
        "telecom": [{"system": "phone", "value": "13800000000"}],
    }


def test_nothing_comes_from_nothing() -> None:
    """An absent parameter leaves the element out, without an issue."""
    rule = "src as v -> tgt.id = truncate(none, 3), tgt.language = append(none) 'x';"
    rule = f"src.none as none then {{ {rule} }} 'y'; src.a as a -> tgt.id = a;"
    assert target_of(rule, {"a": "1"}) == {"id": "1"}


def test_a_cast_that_fails_refuses_the_input() -> None:
    """FB-2111 at the source position, with the type that was asked for."""
    with pytest.raises(BridgeError, match=r"FB-2111.*integer") as raised:
        transform("src.v as v -> tgt.value = cast(v, 'integer');", {"v": "x"}, target="Observation")
    assert raised.value.issues[0].where == "v"


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("code", {"valueString": "male"}),
        ("Coding", {"valueCodeableConcept": {"coding": [{"system": "urn:t", "code": "male"}]}}),
        (
            "CodeableConcept",
            {"valueCodeableConcept": {"coding": [{"system": "urn:t", "code": "male"}]}},
        ),
    ],
)
def test_translate_gives_what_is_asked_for(output: str, expected: dict[str, Any]) -> None:
    """A code, or a Coding or CodeableConcept with the target system."""
    rule = f"src.v as v -> tgt.value = translate(v, '#sex', '{output}');"
    if output == "Coding":
        rule = f"src.v as v -> tgt.value = create('CodeableConcept') as c, c.coding = translate(v, '#sex', '{output}');"
    assert target_of(rule, {"v": "M"}, target="Observation", more=SEX) == expected


def test_an_unmapped_code_is_an_issue_with_its_position() -> None:
    """FB-2201 with code, concept map and the sender's place; never a blank."""
    done = transform(
        "src.v as v -> tgt.gender = translate(v, '#sex', 'code');", {"v": "X"}, more=SEX
    )
    assert done.target == {"resourceType": "Patient"}
    issue = done.issues[0]
    assert (issue.code, issue.where, issue.details["code"]) == ("FB-2201", "v", "X")


def test_uuids_are_fresh_and_may_be_named() -> None:
    """``uuid() as u`` binds a variable that later targets use."""
    rule = "src -> uuid() as u, tgt.id = u, tgt.text as t, t.div = append('<', u) 'x';"
    found = target_of(rule, {"a": 1})
    assert found["text"]["div"] == "<" + found["id"]


def test_an_unknown_transform_is_named() -> None:
    """FB-2106 when the map is compiled."""
    with pytest.raises(BridgeError, match=r"FB-2106.*conjure"):
        transform("src.v as v -> tgt.id = conjure(v);", {})

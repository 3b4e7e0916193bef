"""Nulls and supposed values on their way through a map."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_bridge import hl7v2
from fhir_bridge.fhir.marks import NULL, USUAL
from fhir_bridge.map_functions import functions_by_name
from fhir_bridge.transform import Library, check_map
from tests.transform.maps import map_text, target_of, transform

CHECKS = {"is_date", "mod11_2", "mod31_3"}
SILENT = {"authority_uri", "battery_of", "entity_uri", "kept_as_text", "result_without_time"}
KEYS = {
    "battery_if_shared",
    "foreign_uri",
    "identity_key",
    "number_system",
    "order_key",
    "person_key",
    "place_among_alike",
    "visit_url",
    "when_there",
}


class Row(dict[str, Any]):
    """A source node that is not FHIR JSON."""


def _texts(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set[str]().union(*map(_texts, value.values()))
    return {str(value)}


@pytest.mark.parametrize("name", sorted(functions_by_name().keys() - {"null"}))
def test_every_function_hands_a_null_on(name: str) -> None:
    """As text or as the content of an object; a question about it has no answer, a key leaves it out."""
    more = {"part_of": ("/", 2), "place_among_alike": ("OBR", 3), "kept_as_text": ("number",)}.get(
        name, ()
    )

    found = functions_by_name()[name].call(NULL, *more)

    if name in CHECKS | KEYS | SILENT:
        assert found is None
    else:
        assert _texts(found) == {NULL}


@pytest.mark.parametrize(
    ("rule", "made"),
    [
        ("tgt.gender = a", {"gender": NULL}),
        ("tgt.active = a", {"active": NULL}),
        ("tgt.multipleBirthInteger = a", {"multipleBirthInteger": NULL}),
        ("tgt.birthDate = date_from_ts(a)", {"birthDate": NULL}),
        ("tgt.birthDate = cast(a, 'date')", {"birthDate": NULL}),
        ("tgt.active = cast(a, 'boolean')", {"active": NULL}),
        ("tgt.deceased = a", {"deceasedBoolean": NULL}),
        ("tgt.language = append(a, '-CN')", {"language": f"{NULL}-CN"}),
        ("tgt.language = truncate(a, 2)", {"language": NULL}),
        ("tgt.language = escape(a, 'text', 'url')", {"language": NULL}),
        ("tgt.maritalStatus = a", {"maritalStatus": {"text": NULL}}),
        (
            "tgt.maritalStatus = cc('urn:m', a)",
            {"maritalStatus": {"coding": [{"system": "urn:m", "code": NULL}]}},
        ),
        ("tgt.name = human_name(a, a)", {"name": [{"text": NULL}]}),
        ("tgt.name = human_name('张', a)", {"name": [{"text": "张"}]}),
        ("tgt.telecom = cp(a)", {"telecom": [{"value": NULL}]}),
        ("tgt.identifier = id('urn:a', a)", {"identifier": [{"system": "urn:a", "value": NULL}]}),
        ("tgt.managingOrganization = a", {"managingOrganization": {"reference": NULL}}),
        ("tgt.contact as c, c.period = a", {"contact": [{"period": {"start": NULL, "end": NULL}}]}),
        ("tgt.birthDate = null()", {"birthDate": NULL}),
        ("tgt.birthDate = null", {"birthDate": NULL}),
        ("tgt.birthDate = (%null)", {"birthDate": NULL}),
    ],
)
def test_a_null_reaches_the_element_that_a_map_fills(rule: str, made: dict[str, Any]) -> None:
    """Whatever its type, and never as a value that does not fit."""
    found = transform(f"src.a as a -> {rule};", Row(a=NULL))

    assert found.issues == []
    assert found.target == {"resourceType": "Patient", **made}


@pytest.mark.parametrize(
    ("output", "made"),
    [
        ("code", {"language": NULL}),
        ("display", {"language": NULL}),
        ("system", {"language": NULL}),
    ],
)
def test_a_null_is_never_an_unmapped_code(output: str, made: dict[str, Any]) -> None:
    """Not even in a list that gives a fixed code for the rest; the map need not know it."""
    found = transform(
        f"src.a as a -> tgt.language = translate(a, 'http://example.org/any', '{output}');",
        Row(a=NULL),
    )

    assert found.issues == []
    assert found.target == {"resourceType": "Patient", **made}


@pytest.mark.parametrize("output", ["Coding", "CodeableConcept"])
def test_a_translated_null_has_the_shape_that_is_asked_for(output: str) -> None:
    """A Coding, or a concept with one."""
    place = "tgt.maritalStatus" if output == "CodeableConcept" else "tgt.maritalStatus.coding"

    found = target_of(f"src.a as a -> {place} = translate(a, 'urn:x', '{output}');", Row(a=NULL))

    assert found["maritalStatus"]["coding"][0]["code"] == NULL


def test_conditions_can_ask_for_the_null() -> None:
    """Where a check of the form would stop it."""
    rules = "src.a as a where (matches('^[0-9]+$') or $this = %null) -> tgt.language = a;"

    assert target_of(rules, Row(a=NULL)) == {"language": NULL}
    assert target_of(rules, Row(a="12")) == {"language": "12"}
    assert target_of(rules, Row(a="x")) == {}


@pytest.mark.parametrize(
    ("rule", "made"),
    [
        ("tgt.language = usual('zh')", {"language": f"{USUAL}zh"}),
        ("tgt.active = usual(true)", {"active": f"{USUAL}{USUAL}true"}),
        ("tgt.multipleBirthInteger = usual(2)", {"multipleBirthInteger": f"{USUAL}{USUAL}2"}),
        ("tgt.deceased = usual(false)", {"deceasedBoolean": f"{USUAL}{USUAL}false"}),
        ("tgt.deceased = usual('2020-01-02')", {"deceasedDateTime": f"{USUAL}2020-01-02"}),
        ("tgt.language = usual(a)", {"language": f"{USUAL}x"}),
        ("tgt.language = usual(b)", {}),
        (
            "cc('urn:m', a) as c, tgt.maritalStatus = usual(c)",
            {"maritalStatus": {"coding": [{"system": f"{USUAL}urn:m", "code": f"{USUAL}x"}]}},
        ),
    ],
)
def test_a_supposed_value_is_marked(rule: str, made: dict[str, Any]) -> None:
    """Text with one mark; a boolean or number with two, so that it is known again."""
    found = transform(f"src.a as a, src.b as b -> {rule};", Row(a="x", b=[""]))

    assert found.issues == []
    assert found.target == {"resourceType": "Patient", **made}


def test_a_supposed_value_must_fit_too() -> None:
    """A mark is no way around the type of an element."""
    found = transform("src.a as a -> tgt.active = usual('perhaps');", Row(a="x"))

    assert [issue.code for issue in found.issues] == ["FB-2112"]


def test_the_check_knows_functions_and_variable() -> None:
    """``transform --check`` has nothing to say of them."""
    library = Library()
    text = map_text(
        "src.a as a where ($this = %null) -> tgt.birthDate = null(), tgt.gender = usual('x'), tgt.language = null;"
    )
    taken = library.add(text)

    assert check_map(library, taken.url) == []


def test_a_null_of_a_message_reaches_the_target() -> None:
    """From the reader, by way of components and functions."""
    message = hl7v2.parse(b'MSH|^~\\&|A|B|C|D|2026||ADT^A08|1|P|2.5\rPID|1||1||""||""|""\r')
    rules = """
      src.PID as pid then {
        pid.f5 as name then { name.c1 as family -> tgt.name = human_name(family); };
        pid.f7 as born -> tgt.birthDate = date_from_ts(born, true);
        pid.f8 as sex -> tgt.gender = translate(sex, 'http://example.org/any', 'code');
      } "pid";
    """

    found = transform(rules, message)

    assert found.issues == []
    assert found.target == {
        "resourceType": "Patient",
        "name": [{"text": NULL}],
        "gender": NULL,
        "birthDate": NULL,
    }

"""FHIR XML: the same values as JSON, in the order of the definitions."""

import pytest

from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import Resource, parse_json, parse_xml, render_json, render_xml

PATIENT: Resource = parse_json(
    """{"resourceType":"Patient","id":"p1","text":{"status":"generated",
    "div":"<div xmlns=\\"http://www.w3.org/1999/xhtml\\"><p>a &quot;b&quot; &amp; c</p></div>"},
    "contained":[{"resourceType":"Organization","id":"o","name":"H & <社区>"}],
    "extension":[{"url":"http://x.example/e","valueDecimal":1.10}],
    "active":true,"name":[{"given":["A",null,"B\\tC\\nD"],"_given":[null,{"id":"g"},null]}],
    "birthDate":"1990-03-07","_birthDate":{"extension":[{"url":"http://x.example/t","valueTime":"10:00:00"}]},
    "multipleBirthInteger":2,"managingOrganization":{"reference":"#o"}}"""
)


def test_json_to_xml_to_json_loses_nothing() -> None:
    """Companions, nulls, narrative, contained resources, decimals and control blanks."""
    assert render_json(PATIENT) == render_json(parse_xml(render_xml(PATIENT)))
    assert PATIENT == parse_xml(render_xml(PATIENT, pretty=True))


def test_elements_stand_in_the_order_of_the_definitions() -> None:
    """XML has an order, JSON has none."""
    text = render_xml({"birthDate": "1990", "active": False, "resourceType": "Patient"}).decode()

    assert text.index("<active") < text.index("<birthDate")
    assert '<active value="false"/>' in text


def test_a_list_of_extensions_only_stands_without_nulls() -> None:
    """An event that has only an extension gives _event and no event."""
    timing = {
        "resourceType": "Patient",
        "name": [{"_given": [{"extension": [{"url": "u", "valueCode": "x"}]}]}],
    }

    assert timing == parse_xml(render_xml(timing))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("<Patient/>", "FB-1022"),
        ('<Nonsense xmlns="http://hl7.org/fhir"/>', "FB-1020"),
        ('<Patient xmlns="http://hl7.org/fhir"><nonsense value="1"/></Patient>', "FB-1022"),
        ('<Patient xmlns="http://hl7.org/fhir"><active value="yes"/></Patient>', "FB-1025"),
        ('<Patient xmlns="http://hl7.org/fhir"><active value="true" other="1"/></Patient>', "FB-1022"),
        ('<Patient xmlns="http://hl7.org/fhir"><gender value="male"/><gender value="male"/></Patient>', "FB-1024"),
        ('<Patient xmlns="http://hl7.org/fhir"><meta/><meta/></Patient>', "FB-1024"),
        ('<Patient xmlns="http://hl7.org/fhir"><multipleBirthInteger value="1,5"/></Patient>', "FB-1025"),
        ("<Patient", "FB-1010"),
        ('<!DOCTYPE x><Patient xmlns="http://hl7.org/fhir"/>', "FB-1011"),
    ],
)  # fmt: skip
def test_what_r4_does_not_know_is_refused_with_its_place(text: str, code: str) -> None:
    """Nothing is dropped silently."""
    with pytest.raises(BridgeError) as caught:
        parse_xml(text.encode())

    assert code == caught.value.code


@pytest.mark.parametrize(
    ("resource", "code"),
    [
        ({"resourceType": "Nonsense"}, "FB-1020"),
        ({"resourceType": "Patient", "nonsense": 1}, "FB-1021"),
        ({"resourceType": "Patient", "name": ["x"]}, "FB-1021"),
        ({"resourceType": "Patient", "birthDate": "a\u0001"}, "FB-1023"),
        ({"resourceType": "Patient", "text": {"div": "<div>x</div>"}}, "FB-1023"),
        ({"resourceType": "Patient", "text": {"div": "<div"}}, "FB-1023"),
    ],
)
def test_what_xml_cannot_say_is_refused(resource: Resource, code: str) -> None:
    """A property that would be lost is an error, not a loss."""
    with pytest.raises(BridgeError) as caught:
        render_xml(resource)

    assert code == caught.value.code


def test_a_narrative_with_a_prefix_is_written_anew() -> None:
    """The div may use a namespace prefix; JSON gets one that stands alone."""
    text = (
        '<Patient xmlns="http://hl7.org/fhir" xmlns:h="http://www.w3.org/1999/xhtml">'
        '<text><status value="generated"/><h:div><h:p>x</h:p></h:div></text></Patient>'
    )

    div = parse_xml(text.encode())["text"]["div"]

    assert div == '<div xmlns="http://www.w3.org/1999/xhtml"><p>x</p></div>'


def test_a_narrative_that_is_written_anew_says_the_same() -> None:
    """Attributes, text behind elements and comments; nothing is declared that is not used."""
    text = (
        '<f:Patient xmlns:f="http://hl7.org/fhir" xmlns:h="http://www.w3.org/1999/xhtml">'
        '<f:text><f:status value="generated"/><h:div lang="zh">a<h:b title="t">b</h:b>c'
        "<!-- note -->d<h:br/>e</h:div></f:text></f:Patient>"
    )

    div = parse_xml(text.encode())["text"]["div"]

    assert div == (
        '<div xmlns="http://www.w3.org/1999/xhtml" lang="zh">a<b title="t">b</b>cd<br/>e</div>'
    )

"""What a site may ask beyond R4."""

from typing import Any

import pytest

from fhir_bridge.conformance import Profiles
from fhir_bridge.fhir import definitions
from fhir_bridge.validation import Strictness, Validator


def _places(strictness: Strictness, **patient: Any) -> list[str]:
    validator = Validator(definitions(), Profiles(), strictness=strictness)
    return [issue.where for issue in validator.check({"resourceType": "Patient", **patient})]


@pytest.mark.parametrize(
    ("address", "is_example"),
    [
        ("https://files.example.org/a.png", True),
        ("https://hospital.example/a.png", True),
        ("http://example.com:8080", True),
        ("https://example.org.cn/a.png", False),
        ("https://hospital.test/example.org", False),
    ],
)
def test_addresses_of_example_domains_are_refused_where_that_is_asked(address, is_example):
    """They lead nowhere, so a record that is in use must not hold them."""
    photo = [{"url": address}]

    assert [] == _places(Strictness(), photo=photo)
    expected = ["Patient.photo[0].url"] if is_example else []
    assert expected == _places(Strictness(examples=False), photo=photo)


@pytest.mark.parametrize(("text", "is_markup"), [("a<script>", True), ("a < b, c>d", False)])
def test_markup_in_a_string_is_refused_where_that_is_asked(text, is_markup):
    """Whoever shows it unescaped would run it."""
    name = [{"text": text}]

    assert [] == _places(Strictness(), name=name)
    expected = ["Patient.name[0].text"] if is_markup else []
    assert expected == _places(Strictness(markup=False), name=name)


@pytest.mark.parametrize(
    ("url", "is_absolute", "is_of_type"),
    [
        ("https://hospital.test/Questionnaire/q", True, True),
        ("#q", True, True),
        ("Questionnaire/q", False, True),
        ("http://hl7.org/fhir/ValueSet/q", True, False),
        ("https://hospital.test/sets|2", True, False),
    ],
)
def test_a_canonical_names_a_resource_of_a_type_that_may_stand_there(url, is_absolute, is_of_type):
    """By what is here and by how HL7 forms its URLs; absolute where that is asked."""
    value_set = {"resourceType": "ValueSet", "url": "https://hospital.test/sets", "status": "draft"}
    response = {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": url,
        "status": "completed",
    }
    response["contained"] = [{"resourceType": "Questionnaire", "id": "q", "status": "draft"}]
    if url != "#q":
        del response["contained"]

    def places(strictness: Strictness) -> list[str]:
        validator = Validator(definitions(), Profiles([value_set]), strictness=strictness)
        return [issue.where for issue in validator.check(response) if issue.code == "FB-3038"]

    wrong = ["QuestionnaireResponse.questionnaire"]
    assert places(Strictness()) == ([] if is_of_type else wrong)
    strict = Strictness(relative_canonicals=False)
    assert places(strict) == ([] if is_of_type and is_absolute else wrong)


@pytest.mark.parametrize(
    ("link", "is_good"),
    [
        ("https://hospital.test/x", True),
        ("Patient/1", True),
        ("#above", True),
        ("#team", True),
        ("#below", False),
        ("urn:uuid:5d9588d8-3cd6-4b32-8fb7-ad13694e069d", False),
        ("file:///etc/passwd", False),
    ],
)
def test_links_of_a_narrative_lead_somewhere_where_that_is_asked(link, is_good):
    """To a place in the narrative, to a part of the resource by its id, or out by a usual scheme."""
    div = (
        f'<div xmlns="http://www.w3.org/1999/xhtml"><p id="above"><a href="{link}">a</a></p></div>'
    )
    text = {"status": "generated", "div": div}
    name = [{"id": "team", "text": "a"}]

    assert [] == _places(Strictness(), text=text, name=name)
    expected = [] if is_good else ["Patient.text.div"]
    assert expected == _places(Strictness(dead_links=False), text=text, name=name)

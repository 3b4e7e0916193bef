"""What is shown of a resource in which elements are taken back or supposed."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_bridge.fhir import render_json, written_decimal
from fhir_bridge.fhir.marks import NULL, USUAL, has_marks, strip_marks, unmarked, usual

PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "identifier": [{"system": "urn:a", "value": "1"}],
    "active": True,
    "name": [{"text": "张三"}],
}


def test_a_resource_without_marks_is_given_back_as_it_is() -> None:
    """Not even copied, so that it costs a look."""
    assert not has_marks(PATIENT)
    assert strip_marks(PATIENT) is PATIENT


@pytest.mark.parametrize(
    ("element", "left"),
    [
        ({"birthDate": NULL}, {}),
        ({"telecom": [{"system": "phone", "use": "home", "value": NULL}]}, {}),
        ({"telecom": [{"value": NULL}, {"value": "1"}]}, {"telecom": [{"value": "1"}]}),
        ({"photo": [{"data": "", "size": NULL}]}, {"photo": [{"data": ""}]}),
        ({"maritalStatus": {"coding": [{"system": "urn:m", "code": NULL}]}}, {}),
        (
            {"maritalStatus": {"coding": [{"code": NULL}], "text": "x"}},
            {"maritalStatus": {"text": "x"}},
        ),
        ({"name": [{"text": "张", "given": [NULL]}]}, {"name": [{"text": "张"}]}),
        ({"extension": [{"url": "urn:e", "valueString": NULL}]}, {}),
        (
            {"extension": [{"url": "urn:e", "valueQuantity": {"value": NULL, "code": "kg"}}]},
            {},
        ),
        ({"managingOrganization": {"reference": f"urn:uuid:{NULL}"}}, {}),
        (
            {"address": [{"line": [NULL, "x"], "_line": [None, {"id": "a"}]}]},
            {"address": [{"line": [None, "x"], "_line": [None, {"id": "a"}]}]},
        ),
    ],
)
def test_what_is_taken_back_leaves_no_empty_parent(element: Any, left: Any) -> None:
    """A use, system or unit alone says nothing."""
    assert strip_marks({**PATIENT, **element}) == {
        "resourceType": "Patient",
        "identifier": PATIENT["identifier"],
        "active": True,
        **({"name": PATIENT["name"]} if "name" not in element else {}),
        **left,
    }


def test_what_is_supposed_is_shown_as_if_stated() -> None:
    """Text, objects, and the JSON literal behind a double mark."""
    marked = {
        "resourceType": "Encounter",
        "status": usual("unknown"),
        "class": usual({"system": "urn:c", "code": "AMB"}),
        "active": f"{USUAL}{USUAL}false",
        "rank": f"{USUAL}{USUAL}12",
        "value": f"{USUAL}{USUAL}1.50",
    }

    shown = strip_marks(marked)

    assert render_json(shown) == (
        b'{"resourceType":"Encounter","status":"unknown","class":{"system":"urn:c","code":"AMB"},'
        b'"active":false,"rank":12,"value":1.50}'
    )
    assert not has_marks(shown)
    assert marked["status"] == f"{USUAL}unknown"


def test_supposing_twice_or_supposing_a_null_changes_nothing() -> None:
    """A mark is put once, and a wish to take back is stronger than a guess."""
    assert usual(usual("a")) == usual("a")
    assert usual([NULL, None, {"a": written_decimal("1.50")}]) == [
        NULL,
        None,
        {"a": f"{USUAL}1.50"},
    ]
    assert unmarked(usual("a")) == "a"


def test_an_entry_whose_identity_is_taken_back_goes_with_its_references() -> None:
    """So does one that has nothing else, and what refers to it."""

    def entry(place: str, **resource: Any) -> dict[str, Any]:
        return {"fullUrl": f"urn:uuid:{place}", "resource": resource}

    doctor = entry(
        "doctor", resourceType="Practitioner", identifier=[{"system": "urn:d", "value": NULL}]
    )
    doctor["resource"]["name"] = [{"text": "李"}]
    role = entry(
        "role", resourceType="PractitionerRole", practitioner={"reference": "urn:uuid:doctor"}
    )
    ward = entry("ward", resourceType="Location", name="W1")
    ward["request"] = {"method": "POST", "url": "Location", "ifNoneExist": f"name={NULL}"}
    visit = entry(
        "visit",
        resourceType="Encounter",
        status="finished",
        identifier=[{"system": "urn:v", "value": "1"}],
        participant=[{"individual": {"reference": "urn:uuid:role"}, "type": [{"text": "x"}]}],
        location=[{"location": {"reference": "urn:uuid:ward"}, "status": "active"}],
    )
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "timestamp": NULL,
        "entry": [doctor, role, ward, visit],
    }

    assert strip_marks(bundle) == {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [
            {
                "fullUrl": "urn:uuid:visit",
                "resource": {
                    "resourceType": "Encounter",
                    "status": "finished",
                    "identifier": [{"system": "urn:v", "value": "1"}],
                },
            }
        ],
    }

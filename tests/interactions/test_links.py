"""Links between the entries of a transaction: which follow, which stay, which are refused.

https://hl7.org/fhir/R4/http.html#trules, https://hl7.org/fhir/R4/bundle.html#references
"""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.api.test_resources import PATIENT, code
from tests.api.world import BASE, World
from tests.interactions.test_transaction import OBSERVATION, entry, send, statuses

UUID = "urn:uuid:6d3d9d2f-5a6c-4a0b-9c39-0c6a5d1f8e01"
OTHER = "http://other.example/fhir"
WHOLE = {"Prefer": "return=representation"}


def about(reference: str, **more: Any) -> dict[str, Any]:
    """An observation of whom `reference` names."""
    return OBSERVATION | {"subject": {"reference": reference}} | more


def test_every_place_that_may_hold_an_address_follows(either: World) -> None:
    """Attachment, uri, contained resources, narratives of sections; href and src, either quote."""
    div = (
        f"<div xmlns=\"http://www.w3.org/1999/xhtml\"><a href='{UUID}'>x</a>"
        f'<img src="{UUID}" alt="{UUID}"/></div>'
    )
    text = {"status": "generated", "div": div}
    composition = {
        "resourceType": "Composition",
        "status": "final",
        "type": {"text": f"see {UUID}"},
        "date": "2026-01-01",
        "author": [{"display": "x"}],
        "title": "x",
        "contained": [about(UUID, id="c")],
        "section": [{"title": "s", "text": text, "entry": [{"reference": "#c"}]}],
    }
    document = {
        "resourceType": "DocumentReference",
        "status": "current",
        "content": [{"attachment": {"url": UUID}}],
        "extension": [{"url": "urn:x", "valueUrl": UUID}, {"url": "urn:y", "valueString": UUID}],
    }
    answer = send(
        either,
        "transaction",
        entry("POST", "Composition", composition),
        entry("POST", "DocumentReference", document),
        entry("POST", "Patient", PATIENT, UUID),
        **WHOLE,
    )
    assert 200 == answer.status_code, answer.text
    made, held, patient = (each["resource"] for each in answer.json["entry"])
    target = f"Patient/{patient['id']}"
    assert target == made["contained"][0]["subject"]["reference"]
    section = made["section"][0]["text"]["div"]
    assert f"href='{target}'" in section
    assert f'src="{target}" alt="{UUID}"' in section
    assert f"see {UUID}" == made["type"]["text"]
    assert target == held["content"][0]["attachment"]["url"]
    assert [target, UUID] == [
        held["extension"][0]["valueUrl"],
        held["extension"][1]["valueString"],
    ]


@pytest.mark.parametrize("address", [UUID, "urn:oid:1.2.36.1", f"{OTHER}/Patient/7"])
def test_an_address_of_any_kind_is_replaced(either: World, address: str) -> None:
    """UUID, OID and the address at another server; a fragment stays behind it."""
    answer = send(
        either,
        "transaction",
        entry("POST", "Observation", about(f"{address}#part")),
        entry("PUT", "Patient/li", PATIENT, address),
        **WHOLE,
    )
    assert "Patient/li#part" == answer.json["entry"][0]["resource"]["subject"]["reference"]


def test_canonical_elements_stay(either: World) -> None:
    """The specification names uri, url, oid and uuid, and no canonical."""
    questions = {"resourceType": "Questionnaire", "status": "draft"}
    answers = {"resourceType": "QuestionnaireResponse", "status": "completed"}
    answer = send(
        either,
        "transaction",
        entry("POST", "Questionnaire", questions, UUID),
        entry("POST", "QuestionnaireResponse", answers | {"questionnaire": UUID}),
        **WHOLE,
    )
    assert UUID == answer.json["entry"][1]["resource"]["questionnaire"], answer.text


def test_a_reference_to_a_version_names_the_version_that_is_written(either: World) -> None:
    """Created here: version 1; updated here: the next; one that no entry says stays."""
    send(either, "transaction", entry("PUT", "Patient/li", PATIENT))
    changed = PATIENT | {"gender": "other", "meta": {"versionId": "1"}}
    answer = send(
        either,
        "transaction",
        entry("POST", "Observation", about(f"{OTHER}/Patient/7/_history/4")),
        entry("POST", "Observation", about("Patient/7/_history/4"), f"{OTHER}/Observation/1"),
        entry("POST", "Observation", about("Patient/li/_history/1")),
        entry("POST", "Observation", about(f"{BASE}/Patient/li/_history/1")),
        entry("POST", "Patient", PATIENT | {"meta": {"versionId": "4"}}, f"{OTHER}/Patient/7"),
        entry("PUT", "Patient/li", changed),
        **WHOLE,
    )
    assert 200 == answer.status_code, answer.text
    resources = [each["resource"] for each in answer.json["entry"]]
    found = [each["subject"]["reference"] for each in resources[:4]]
    created = f"Patient/{resources[4]['id']}/_history/1"
    assert [created, created, "Patient/li/_history/2", "Patient/li/_history/2"] == found
    kept = send(
        either,
        "transaction",
        entry("POST", "Observation", about("Patient/li/_history/1")),
        entry("PUT", "Patient/li", PATIENT),
        **WHOLE,
    )
    assert "Patient/li/_history/1" == kept.json["entry"][0]["resource"]["subject"]["reference"]


def test_resources_may_refer_to_each_others_versions(either: World) -> None:
    """A circle of two is written with the versions that both then have."""

    def patient(number: int, other: int) -> dict[str, Any]:
        link = {"other": {"reference": f"{OTHER}/Patient/{other}/_history/1"}, "type": "seealso"}
        return PATIENT | {"link": [link], "meta": {"versionId": "1"}, "id": f"p{number}"}

    answer = send(
        either,
        "transaction",
        entry("PUT", "Patient/p1", patient(1, 2), f"{OTHER}/Patient/1"),
        entry("PUT", "Patient/p2", patient(2, 1), f"{OTHER}/Patient/2"),
        **WHOLE,
    )
    assert 200 == answer.status_code, answer.text
    found = [each["resource"]["link"][0]["other"]["reference"] for each in answer.json["entry"]]
    assert ["Patient/p2/_history/1", "Patient/p1/_history/1"] == found


def test_a_temporary_address_that_no_entry_has_is_refused(either: World) -> None:
    """It could never be followed: 422 with the entry, and nothing is written."""
    answer = send(
        either, "transaction", entry("PUT", "Patient/li", PATIENT), entry("POST", "Observation", about(UUID))
    )  # fmt: skip
    assert (422, "FB-4019") == (answer.status_code, code(answer))
    assert ["Bundle.entry[1]"] == answer.json["issue"][0]["expression"]
    assert 404 == either.client().get("/fhir/Patient/li").status_code


def test_two_entries_have_two_addresses(either: World) -> None:
    """One address for two resources would lead to either: 400."""
    answer = send(
        either,
        "transaction",
        entry("POST", "Patient", PATIENT, UUID),
        entry("POST", "Patient", PATIENT, UUID),
    )
    assert (400, "FB-4016") == (answer.status_code, code(answer))
    assert ["Bundle.entry[1]"] == answer.json["issue"][0]["expression"]


@pytest.mark.parametrize("base", ["", f"{BASE}/"])
def test_a_conditional_reference_finds_one(either: World, base: str) -> None:
    """Relative or with the address of this server; at another server it stays."""
    send(either, "transaction", entry("PUT", "Patient/li", PATIENT))
    answer = send(
        either,
        "transaction",
        entry("POST", "Observation", about(f"{base}Patient?identifier=urn:h|1")),
        entry("POST", "Observation", about(f"{OTHER}/Patient?identifier=urn:h|1")),
        **WHOLE,
    )
    found = [each["resource"]["subject"]["reference"] for each in answer.json["entry"]]
    assert ["Patient/li", f"{OTHER}/Patient?identifier=urn:h|1"] == found


def test_entries_of_a_batch_know_nothing_of_each_other(either: World) -> None:
    """A reference to what another entry creates is that entry's fault alone."""
    answer = send(
        either,
        "batch",
        entry("POST", "Patient", PATIENT, UUID),
        entry("POST", "Observation", about(UUID)),
        entry("PUT", "Patient/li", PATIENT),
    )
    assert ["201", "400", "201"] == statuses(answer)


@pytest.mark.parametrize("kind", ["batch", "transaction"])
def test_a_head_has_no_body(either: World, kind: str) -> None:
    """HEAD answers what GET would, without the resource."""
    send(either, "transaction", entry("PUT", "Patient/li", PATIENT))
    answer = send(either, kind, entry("HEAD", "Patient/li"), entry("GET", "Patient/li"))
    head, get = answer.json["entry"]
    assert head["response"] == get["response"]
    assert ("resource" in head, "resource" in get) == (False, True)


@pytest.mark.parametrize(
    ("media", "patch"),
    [
        ("application/json-patch+json", b'[{"op":"add","path":"/gender","value":"female"}]'),
        ("application/xml-patch+xml",
         b'<diff><replace sel="Patient/gender/@value">female</replace></diff>'),
        ("application/fhir+json",
         (b'{"resourceType":"Parameters","parameter":[{"name":"operation","part":['
         b'{"name":"type","valueCode":"replace"},{"name":"path","valueString":"Patient.gender"},'
         b'{"name":"value","valueCode":"female"}]}]}')),
    ],
)  # fmt: skip
def test_a_patch_travels_in_a_binary(either: World, media: str, patch: bytes) -> None:
    """The content type of the Binary says which language it is; another is 415."""
    send(either, "transaction", entry("PUT", "Patient/li", PATIENT))
    data = base64.b64encode(patch).decode()
    binary = {"resourceType": "Binary", "contentType": media, "data": data}
    answer = send(either, "transaction", entry("PATCH", "Patient/li", binary), **WHOLE)
    assert "female" == answer.json["entry"][0]["resource"]["gender"], answer.text
    unknown = binary | {"contentType": "text/plain"}
    refused = send(either, "transaction", entry("PATCH", "Patient/li", unknown))
    assert (415, "FB-4007") == (refused.status_code, code(refused))


def test_a_patch_in_a_transaction_keeps_the_identity(either: World) -> None:
    """A patch that changes the id would write to another resource: 422, nothing changed."""
    send(either, "transaction", entry("PUT", "Patient/li", PATIENT))
    patch = base64.b64encode(b'[{"op":"replace","path":"/id","value":"wang"}]').decode()
    media = "application/json-patch+json"
    binary = {"resourceType": "Binary", "contentType": media, "data": patch}
    refused = send(either, "transaction", entry("PATCH", "Patient/li", binary))
    assert (422, "FB-4023") == (refused.status_code, code(refused))
    assert 404 == either.client().get("/fhir/Patient/wang").status_code


def test_what_was_done_is_told_as_an_outcome(either: World) -> None:
    """With return=OperationOutcome it stands in the response of the entry, not as its resource."""
    answer = send(
        either, "transaction", entry("PUT", "Patient/li", PATIENT), Prefer="return=OperationOutcome"
    )
    told = answer.json["entry"][0]
    assert "resource" not in told
    assert "OperationOutcome" == told["response"]["outcome"]["resourceType"]

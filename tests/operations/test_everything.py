"""Patient/$everything: complete, bounded, in pages, on both databases.

https://hl7.org/fhir/R4/patient-operation-everything.html
"""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from fhir_bridge.access import Access
from tests.api.test_resources import PATIENT, code
from tests.api.world import BASE, World
from tests.interactions.test_search import ids, link
from tests.interactions.test_transaction import OBSERVATION

URL = "/fhir/Patient/li/$everything"


@pytest.fixture
def record(either: World) -> FlaskClient:
    """Two patients; the first has observations, a document with its file, and a clinic."""
    client = either.client()
    clinic = {"resourceType": "Organization", "id": "clinic", "name": "H"}
    client.put("/fhir/Organization/clinic", json=clinic)
    of_clinic = {"managingOrganization": {"reference": "Organization/clinic"}}
    client.put("/fhir/Patient/li", json=PATIENT | of_clinic)
    client.put("/fhir/Patient/wang", json=PATIENT | {"id": "wang"})
    client.put("/fhir/Practitioner/dr", json={"resourceType": "Practitioner", "id": "dr"})
    for owner in ("li", "wang"):
        for number in range(3):
            body = OBSERVATION | {
                "id": f"{owner}{number}",
                "subject": {"reference": f"Patient/{owner}"},
                "performer": [{"reference": "Practitioner/dr"}],
                "effectiveDateTime": f"202{number}-01-01",
            }
            assert 201 == client.put(f"/fhir/Observation/{owner}{number}", json=body).status_code
    file = {"resourceType": "Binary", "id": "scan", "contentType": "text/plain", "data": "YQ=="}
    client.put("/fhir/Binary/scan", json=file)
    document = {
        "resourceType": "DocumentReference",
        "id": "letter",
        "status": "current",
        "subject": {"reference": "Patient/li"},
        "content": [
            {"attachment": {"url": "Binary/scan"}},
            {"attachment": {"url": "https://elsewhere.example/Binary/other"}},
        ],
    }
    assert 201 == client.put("/fhir/DocumentReference/letter", json=document).status_code
    return client


def test_it_holds_whatever_the_record_of_the_patient_refers_to(record: FlaskClient) -> None:
    """The patient's own clinic, the observations' practitioner, the document's file; each once."""
    found = record.get(URL).json
    assert ["letter", "li", "li0", "li1", "li2"] == ids(found)
    assert ["clinic", "dr", "scan"] == ids(found, "include")
    assert "li" == found["entry"][0]["resource"]["id"]
    assert 5 == found["total"]


def test_types_choose_among_what_is_referred_to_as_well(record: FlaskClient) -> None:
    """A type outside of the compartment is found by what refers to it."""
    of_two = record.get(f"{URL}?_type=Observation,Practitioner").json
    assert (["li0", "li1", "li2"], ["dr"]) == (ids(of_two), ids(of_two, "include"))
    of_one = record.get(f"{URL}?_type=Organization").json
    assert ([], ["clinic"]) == (ids(of_one), ids(of_one, "include"))
    assert [] == ids(record.get(f"{URL}?_type=Encounter").json)


def test_pages_hold_the_same_as_the_whole(record: FlaskClient) -> None:
    """Whatever the size, also when a resource of another type comes in between."""
    whole = sorted(ids(record.get(URL).json) + ids(record.get(URL).json, "include"))
    for size in (1, 2, 3, 50):
        seen: set[str] = set()
        place = f"{URL}?_count={size}"
        while place:
            page = record.get(place)
            assert 200 == page.status_code, page.text
            seen |= {*ids(page.json), *ids(page.json, "include")}
            place = link(page.json, "next")
            flag = {"resourceType": "Flag", "id": "f", "status": "active", "code": {"text": "x"}}
            record.put("/fhir/Flag/f", json=flag | {"subject": {"reference": "Patient/li"}})
        record.delete("/fhir/Flag/f")
        assert whole == sorted(seen - {"f"}), size


@pytest.mark.parametrize("limit", ["start=x", "end=2020-13-01", "_since=x", "_type=X", "_count=x"])
def test_a_limit_that_cannot_be_read_is_refused(record: FlaskClient, limit: str) -> None:
    """Also where the compartment holds nothing that it would limit."""
    record.put("/fhir/Patient/alone", json=PATIENT | {"id": "alone"})
    assert 400 == record.get(f"/fhir/Patient/alone/$everything?{limit}").status_code


def test_it_works_inside_a_transaction(record: FlaskClient) -> None:
    """And shows what the transaction wrote before it."""
    body = OBSERVATION | {"id": "new", "subject": {"reference": "Patient/li"}}
    bundle: dict[str, Any] = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {"request": {"method": "GET", "url": "Patient/li/$everything"}},
            {"request": {"method": "PUT", "url": "Observation/new"}, "resource": body},
        ],
    }
    answer = record.post("/fhir", json=bundle).json
    assert "new" in ids(answer["entry"][0]["resource"])


def test_nothing_is_shown_that_may_not_be_seen(record: FlaskClient, either: World) -> None:
    """A caller who may see the patient but not files gets no file; another patient's: 404."""
    either.access = Access.patients(["li"])
    client = either.client()
    found = client.get(URL).json
    assert ["letter", "li", "li0", "li1", "li2"] == ids(found)
    assert ["clinic", "dr"] == ids(found, "include")
    hidden = client.get("/fhir/Patient/wang/$everything")
    assert (404, "FB-4001") == (hidden.status_code, code(hidden))
    either.access = Access.everything()
    record.delete("/fhir/Patient/wang")
    assert 410 == client.get("/fhir/Patient/wang/$everything").status_code


def test_an_attachment_is_known_by_the_address_of_this_server(record: FlaskClient) -> None:
    """The full address of a Binary here leads to it as the relative one does."""
    media = {
        "resourceType": "Media",
        "id": "m",
        "status": "completed",
        "subject": {"reference": "Patient/wang"},
        "content": {"url": f"{BASE}/Binary/scan"},
    }
    assert 201 == record.put("/fhir/Media/m", json=media).status_code
    assert "scan" in ids(record.get("/fhir/Patient/wang/$everything").json, "include")

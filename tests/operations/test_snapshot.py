"""StructureDefinition/$snapshot over HTTP.

https://hl7.org/fhir/R4/structuredefinition-operation-snapshot.html
"""

from tests.operations.test_operations import parameters
from tests.snapshots.test_snapshots import profile

URL = "/fhir/StructureDefinition/$snapshot"
BASE = {"status": "draft", "id": "base", "url": "https://hospital.example/base"}


def _elements(answer):
    return {element["id"]: element for element in answer.json["snapshot"]["element"]}


def test_a_definition_that_is_sent_comes_back_with_its_snapshot(client):
    """Bare or as a parameter; with a text for people."""
    definition = profile("Patient", ("Patient.name", {"min": 1}))
    bare = client.post(URL, json=definition)
    named = client.post(URL, json=parameters(definition={"resource": definition}))

    assert 200 == bare.status_code
    assert 1 == _elements(bare)["Patient.name"]["min"]
    assert _elements(bare) == _elements(named)
    assert "Patient.name" in bare.json["text"]["div"]


def test_a_stored_definition_may_stand_on_a_stored_one(client):
    """By its id and by its URL."""
    base = profile("Patient", ("Patient.name", {"min": 1}), **BASE)
    child = profile("Patient", ("Patient.active", {"min": 1}), base=BASE["url"], id="child")
    for definition in (base, child):
        stored = client.put(f"/fhir/StructureDefinition/{definition['id']}", json=definition)
        assert 201 == stored.status_code, stored.json
    by_id = client.get("/fhir/StructureDefinition/child/$snapshot")
    by_url = client.get(f"{URL}?url=https://hospital.example/x")

    assert 1 == _elements(by_id)["Patient.name"]["min"]
    assert _elements(by_id) == _elements(by_url)


def test_mistakes_are_named(client):
    """No definition, an unknown one, one that does not fit its base."""
    wrong = profile("Patient", ("Patient.shoe", {}))
    answers = [
        client.post(URL, json=parameters()),
        client.get(f"{URL}?url=https://hospital.example/none"),
        client.post(URL, json=wrong),
    ]
    codes = [one.json["issue"][0]["details"]["coding"][0]["code"] for one in answers]

    assert ["FB-4025", "FB-3013", "FB-3033"] == codes

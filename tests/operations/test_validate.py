"""$validate: modes, profiles, levels; the answer is an OperationOutcome with codes.

https://hl7.org/fhir/R4/resource-operation-validate.html
"""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.test_resources import PATIENT, code
from tests.interactions.test_transaction import OBSERVATION
from tests.operations.test_operations import parameters

WRONG = PATIENT | {"gender": "m"}


def codes(answer: Any) -> dict[str, str]:
    """Catalogue code -> severity of each issue of a 200."""
    assert 200 == answer.status_code, answer.text
    assert "OperationOutcome" == answer.json["resourceType"]
    return {each["details"]["coding"][0]["code"]: each["severity"] for each in answer.json["issue"]}


@pytest.fixture
def server(client: FlaskClient) -> FlaskClient:
    """A server that holds one patient."""
    client.put("/fhir/Patient/li", json=PATIENT)
    return client


@pytest.mark.parametrize("place", ["", "Patient/", "Patient/li/"])
@pytest.mark.parametrize("mode", ["", "?mode=create", "?mode=update"])
def test_every_level_and_mode_looks_at_the_content(
    server: FlaskClient, place: str, mode: str
) -> None:
    """What is wrong is told with its place, and nothing is stored; update is of an instance."""
    answer = server.post(f"/fhir/{place}$validate{mode}", json=WRONG)
    if "update" in mode and place != "Patient/li/":
        assert (400, "FB-4025") == (answer.status_code, code(answer))
        return
    assert {"FB-3008": "error"} == codes(answer)
    assert ["Patient.gender"] == answer.json["issue"][0]["expression"]
    assert "male" == server.get("/fhir/Patient/li").json["gender"]


def test_what_is_good_says_so(server: FlaskClient) -> None:
    """One issue of severity information, never an empty outcome."""
    assert {"FB-3000": "information"} == codes(server.post("/fhir/Patient/$validate", json=PATIENT))


def test_an_update_needs_the_id_of_the_address(server: FlaskClient) -> None:
    """It would be refused, so the outcome says it."""
    good = server.post("/fhir/Patient/li/$validate?mode=update", json=PATIENT)
    assert {"FB-3000": "information"} == codes(good)
    other = server.post("/fhir/Patient/li/$validate?mode=update", json=PATIENT | {"id": "x"})
    assert {"FB-4009": "error"} == codes(other)


def test_a_delete_tells_what_still_refers_to_the_resource(server: FlaskClient) -> None:
    """Nothing: fine; something: a warning; what is not there: 404; of a type: 400."""
    place = "/fhir/Patient/li/$validate?mode=delete"
    assert {"FB-3000": "information"} == codes(server.post(place))
    held = OBSERVATION | {"id": "o", "subject": {"reference": "Patient/li"}}
    server.put("/fhir/Observation/o", json=held)
    assert {"FB-4029": "warning"} == codes(server.post(place))
    assert 404 == server.post("/fhir/Patient/none/$validate?mode=delete").status_code
    assert 400 == server.post("/fhir/Patient/$validate?mode=delete").status_code
    assert 200 == server.get("/fhir/Patient/li").status_code


def test_a_stored_resource_is_validated_as_it_is(server: FlaskClient) -> None:
    """By GET of the instance, also against a profile."""
    assert {"FB-3000": "information"} == codes(server.get("/fhir/Patient/li/$validate"))
    unknown = server.get("/fhir/Patient/li/$validate?profile=urn:none")
    assert "FB-3013" in codes(unknown)
    assert 404 == server.get("/fhir/Patient/none/$validate").status_code


def test_a_profile_is_named_in_the_query_or_in_parameters(server: FlaskClient) -> None:
    """Both find the same; a profile that is claimed is looked at too."""
    url = "https://fhir-bridge.org/fhir/StructureDefinition/fd-contract"
    contract = {"resourceType": "Contract", "status": "executed"}
    asked = server.post(f"/fhir/Contract/$validate?profile={url}", json=contract)
    sent = parameters(
        resource={"resource": contract}, profile={"valueUri": url}, mode={"valueCode": "profile"}
    )
    claimed = contract | {"meta": {"profile": [url]}}
    assert "error" in codes(asked).values()
    assert asked.json == server.post("/fhir/Contract/$validate", json=sent).json
    assert asked.json == server.post("/fhir/Contract/$validate", json=claimed).json


def test_parameters_themselves_can_be_validated(server: FlaskClient) -> None:
    """A Parameters resource that carries no resource is the one that is asked about."""
    good = server.post("/fhir/Parameters/$validate", json=parameters(a={"valueString": "x"}))
    assert {"FB-3000": "information"} == codes(good)
    bad = server.post("/fhir/Parameters/$validate", json=parameters(a={"valueNonsense": "x"}))
    assert "error" in codes(bad).values()


@pytest.mark.parametrize("mode", ["nonsense", "profile", "Create"])
def test_a_mode_that_cannot_be_is_refused(server: FlaskClient, mode: str) -> None:
    """400: the call itself cannot be understood."""
    refused = server.post(f"/fhir/Patient/$validate?mode={mode}", json=PATIENT)
    assert (400, "FB-4025") == (refused.status_code, code(refused))

"""Who is answered in open mode: this machine, nobody else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from fhir_bridge.app import Services, web_application

_PLACES = ("/fhir/Patient", "/fhir/metadata", "/fhir/Patient/p1/_history")


@pytest.fixture
def client(services: Services) -> FlaskClient:
    """A client of the whole site; addresses and headers are the test's."""
    return web_application(services).test_client()


def _ask(client: FlaskClient, path: str = "/fhir/Patient", *, peer: str = "127.0.0.1", **headers):
    return client.get(
        path,
        base_url=f"http://{headers.pop('host', '127.0.0.1:8080')}",
        headers={name.replace("_", "-"): value for name, value in headers.items()},
        environ_base={"REMOTE_ADDR": peer},
    )


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.8.8.8", "::1"])
@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost", "[::1]:8080"])
def test_this_machine_itself_sees_the_record(client, peer, host):
    """By any of the names that are always its own."""
    assert 200 == _ask(client, peer=peer, host=host).status_code


@pytest.mark.parametrize(
    "asked",
    [
        {"peer": "10.0.0.7"},
        {"peer": "192.0.2.1"},
        {"peer": "::ffff:10.0.0.7"},
        {"peer": ""},
        {"X_Forwarded_For": "127.0.0.1"},
        {"X_Forwarded_For": "10.0.0.7"},
        {"Forwarded": "for=127.0.0.1"},
        {"Via": "1.1 proxy"},
        {"host": "attacker.example"},
        {"host": "127.0.0.1.attacker.example:8080"},
        {"host": "localhost.attacker.example"},
        {"host": "10.0.0.7:8080"},
    ],
    ids=str,
)
def test_everybody_else_is_refused(client, asked):
    """Another peer, a proxy on this machine, or a page of the web under a name of its own."""
    answer = _ask(client, **asked)
    outcome = answer.get_json()

    assert 400 <= answer.status_code < 500
    assert "OperationOutcome" == outcome["resourceType"]
    assert "FB-4202" == outcome["issue"][0]["details"]["coding"][0]["code"]


@pytest.mark.parametrize("path", _PLACES)
def test_no_place_of_the_api_is_left_open(client, path):
    """The rule stands before the route."""
    assert _ask(client, path, peer="10.0.0.7").status_code in {401, 403}


@pytest.mark.parametrize("path", ["/", "/console/residents", "/console/quarantine"])
def test_pages_keep_the_same_rule(client, path):
    """What the API does not tell, no page tells: there is nothing here for them."""
    assert 200 == _ask(client, path).status_code
    assert 404 == _ask(client, path, peer="10.0.0.7").status_code


def test_closed_refuses_this_machine_too(services):
    """With access = closed nobody is answered until an authorization server is connected."""
    closed = replace(services, settings=replace(services.settings, access="closed"))
    answer = _ask(web_application(closed).test_client())

    assert "FB-4202" == answer.get_json()["issue"][0]["details"]["coding"][0]["code"]

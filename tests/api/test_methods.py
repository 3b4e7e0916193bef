"""Methods and addresses: what a place takes, also said to browsers of other origins.

https://hl7.org/fhir/R4/http.html#summary, https://fetch.spec.whatwg.org/#http-cors-protocol
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.test_resources import PATIENT, code
from tests.api.world import World

APP = "https://app.example"


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/fhir", "GET, HEAD, OPTIONS, POST"),
        ("/fhir/Patient", "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"),
        ("/fhir/Patient/li", "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"),
        ("/fhir/Patient/li/_history/1", "GET, HEAD, OPTIONS"),
        ("/fhir/metadata", "GET, HEAD, OPTIONS"),
    ],
)
@pytest.mark.parametrize("method", ["OPTIONS", "TRACE", "BREW"])
def test_a_place_says_what_it_takes(
    client: FlaskClient, path: str, allowed: str, method: str
) -> None:
    """OPTIONS with 204, a method that is not taken with 405; both list those that are."""
    answer = client.open(path, method=method)
    assert (204 if method == "OPTIONS" else 405) == answer.status_code
    assert allowed == answer.headers["Allow"]
    if method != "OPTIONS":
        assert "FB-4004" == code(answer)


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/fhir/Patient/li"), ("PUT", "/fhir"), ("DELETE", "/fhir"), ("PATCH", "/fhir"),
     ("PUT", "/fhir/metadata"), ("DELETE", "/fhir/Patient/li/_history/1"),
     ("PUT", "/fhir/Patient/_search"), ("DELETE", "/fhir/Patient/li/_history")],
)  # fmt: skip
def test_a_method_at_the_wrong_place_is_refused(
    client: FlaskClient, method: str, path: str
) -> None:
    """405, and nothing is changed."""
    client.put("/fhir/Patient/li", json=PATIENT)
    refused = client.open(path, method=method, json=PATIENT)
    assert (405, "FB-4004") == (refused.status_code, code(refused))
    assert 'W/"1"' == client.get("/fhir/Patient/li").headers["ETag"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/fhir/Patient/li/", 200),
        ("/fhir/Patient/?_id=li", 200),
        ("/fhir/P%61tient/l%69", 200),
        ("/fhir/patient/li", 404),
        ("/fhir/Nonsense/li", 404),
        ("/fhir/Patient/l_i", 404),
        ("/fhir/Patient/li/nonsense", 404),
        ("/fhir/Patient/li/_history/0", 404),
        ("/fhir/Patient/li/_history/01", 404),
        ("/fhir/Patient/li/_history/x", 404),
        ("/fhir//Patient/li", 404),
        ("/fhir/" + "a/" * 2000, 404),
        ("/fhir/Patient?family=" + "x" * 20_000, 200),
        ("/nowhere", 404),
    ],
)
def test_an_address_is_read_as_it_is_written(client: FlaskClient, path: str, status: int) -> None:
    """A slash at the end and encoded letters mean the same; case and doubled slashes do not."""
    client.put("/fhir/Patient/li", json=PATIENT)
    answer = client.get(path)
    assert status == answer.status_code
    assert answer.json["resourceType"] in ("Patient", "Bundle", "OperationOutcome")


@pytest.mark.parametrize("id_", ["a" * 65, "l_i", "l i", "李", "~"])
def test_an_id_outside_of_the_rules_is_not_stored(client: FlaskClient, id_: str) -> None:
    """1 to 64 of A-Z a-z 0-9 - and dot; anything else is 400 or no such place."""
    assert client.put(f"/fhir/Patient/{id_}", json=PATIENT | {"id": id_}).status_code in (400, 404)


@pytest.mark.parametrize("id_", ["A", "a" * 64, "1.2-3", "-", "..."])
def test_an_id_within_the_rules_is_kept(client: FlaskClient, id_: str) -> None:
    """Case and dots included."""
    body = PATIENT | {"id": id_}
    assert 201 == client.put(f"/fhir/Patient/{id_}", json=body).status_code
    assert id_ == client.get(f"/fhir/Patient/{id_}").json["id"]


def shared(world: World) -> FlaskClient:
    """A server whose settings name one origin."""
    world.settings = replace(world.settings, cors_origins=(APP,))
    return world.client()


def preflight(client: FlaskClient, origin: str) -> Any:
    """What a browser asks before a page sends an update."""
    headers = {"Origin": origin, "Access-Control-Request-Method": "PUT",
               "Access-Control-Request-Headers": "content-type,if-match"}  # fmt: skip
    return client.options("/fhir/Patient/li", headers=headers)


def test_an_app_of_a_named_origin_may_ask_and_read(world: World) -> None:
    """The preflight allows method and headers; the answer lets the page see the version."""
    client = shared(world)
    asked = preflight(client, APP)
    assert (204, APP) == (asked.status_code, asked.headers["Access-Control-Allow-Origin"])
    assert "PUT" in asked.headers["Access-Control-Allow-Methods"]
    for name in ("Authorization", "Content-Type", "If-Match", "If-None-Exist", "Prefer"):
        assert name in asked.headers["Access-Control-Allow-Headers"]
    sent = client.put("/fhir/Patient/li", json=PATIENT, headers={"Origin": APP})
    assert APP == sent.headers["Access-Control-Allow-Origin"]
    for name in ("ETag", "Location", "Last-Modified", "Content-Location"):
        assert name in sent.headers["Access-Control-Expose-Headers"]
    assert "Origin" in ", ".join(sent.headers.getlist("Vary"))
    assert "Access-Control-Allow-Credentials" not in sent.headers


def test_an_app_reads_its_errors_and_the_document(world: World) -> None:
    """Refusals and openapi.json are answers as well."""
    client = shared(world)
    for path in ("/fhir/Patient/none", "/fhir/openapi.json", "/fhir/Patient?nonsense=1"):
        answer = client.get(path, headers={"Origin": APP})
        assert APP == answer.headers["Access-Control-Allow-Origin"], path


@pytest.mark.parametrize("origin", ["https://evil.example", "http://app.example", "null",
                                    "https://app.example.evil.example", ""])  # fmt: skip
def test_a_page_of_another_origin_reads_nothing(world: World, origin: str) -> None:
    """No header allows it, in the preflight or in the answer."""
    client = shared(world)
    for answer in (preflight(client, origin),
                   client.get("/fhir/Patient", headers={"Origin": origin})):  # fmt: skip
        assert "Access-Control" not in str(answer.headers)
        assert "Origin" in ", ".join(answer.headers.getlist("Vary"))


def test_it_is_off_until_origins_are_named(client: FlaskClient) -> None:
    """Without the setting no answer speaks of origins."""
    for answer in (preflight(client, APP), client.get("/fhir/metadata", headers={"Origin": APP})):
        assert "Access-Control-Allow-Origin" not in answer.headers

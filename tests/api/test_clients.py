"""What real clients and pages of the web send, and what they are told."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from tests.api.test_resources import PATIENT, code
from tests.api.world import World

JSON = {"Content-Type": "application/fhir+json"}


def test_diagnostics_hold_cause_and_hint(client: FlaskClient) -> None:
    """Some clients show their users nothing else."""
    issue = client.get("/fhir/Patient/nobody").json["issue"][0]
    assert issue["diagnostics"].startswith(issue["details"]["text"])
    assert len(issue["diagnostics"]) > len(issue["details"]["text"])


@pytest.mark.parametrize(
    ("method", "address"),
    [
        ("post", "/fhir/Patient?identifier=urn:x%7C1"),
        ("put", "/fhir/Patient/p?name=x"),
        ("delete", "/fhir/Patient/p?cascade=true"),
        ("patch", "/fhir/Patient/p?_id=p"),
        ("post", "/fhir?_count=1"),
    ],
)
def test_a_parameter_that_a_change_would_not_read_is_refused(
    client: FlaskClient, method: str, address: str
) -> None:
    """400, and the hint names If-None-Exist; nothing is made."""
    answer = getattr(client, method)(address, json=PATIENT | {"id": "p"}, headers=JSON)
    assert (400, "FB-4032") == (answer.status_code, code(answer))
    assert "If-None-Exist" in answer.json["issue"][0]["diagnostics"]
    assert client.get("/fhir/Patient?_summary=count").json["total"] == 0


def test_what_shapes_the_answer_of_a_change_is_read(client: FlaskClient) -> None:
    """``_format`` and ``_pretty`` belong to every interaction."""
    answer = client.post("/fhir/Patient?_format=json&_pretty=true", json=PATIENT, headers=JSON)
    assert answer.status_code == 201


def test_json_and_xml_as_welcome_as_each_other_is_json(client: FlaskClient) -> None:
    """In either order; a named XML goes before a wildcard."""
    for accept, wanted in (
        ("application/fhir+xml;q=1.0, application/fhir+json;q=1.0", "application/fhir+json"),
        ("application/fhir+json, application/fhir+xml", "application/fhir+json"),
        ("application/fhir+xml, */*", "application/fhir+xml"),
    ):
        answer = client.get("/fhir/metadata", headers={"Accept": accept})
        assert answer.mimetype == wanted


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "http://localhost"}, 201),
        ({"Sec-Fetch-Site": "same-origin"}, 201),
        ({"Origin": "http://app.example", "Sec-Fetch-Site": "cross-site"}, 201),
        ({}, 201),
    ],
)
def test_a_page_of_another_origin_changes_nothing(
    world: World, headers: dict[str, str], status: int
) -> None:
    """Whatever the type and media; named origins may, and reads are not asked."""
    world.settings = replace(world.settings, cors_origins=("http://app.example",))
    client = world.client()
    sent = client.post("/fhir/Binary", data=b"x", content_type="text/plain", headers=headers)
    assert sent.status_code == status
    assert client.get("/fhir/Patient", headers=headers).status_code == 200
    if status == 403:
        assert code(sent) == "FB-4203"
        for method in ("put", "patch", "delete"):
            refused = getattr(client, method)("/fhir/Patient/1", json={}, headers=headers)
            assert refused.status_code == 403


@pytest.mark.parametrize(
    ("media", "is_saved"),
    [("image/svg+xml", True), ("application/pdf", False), ("image/png", False)],
)
def test_a_binary_never_runs_in_our_origin(
    client: FlaskClient, media: str, *, is_saved: bool
) -> None:
    """Shown in a sandbox, or saved where it may be active."""
    binary = {
        "resourceType": "Binary",
        "contentType": media,
        "data": base64.b64encode(b"x").decode(),
    }
    made = client.post("/fhir/Binary", json=binary, headers=JSON)
    content = client.get(made.headers["Location"], headers={"Accept": media})

    assert content.mimetype == media
    assert "sandbox" in content.headers["Content-Security-Policy"]
    assert ("Content-Disposition" in content.headers) is is_saved

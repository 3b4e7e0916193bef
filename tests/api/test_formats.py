"""Content negotiation, XML, pretty printing, compression, limits, Binary."""

from __future__ import annotations

import base64
import gzip
from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from fhir_bridge.api.media_types import accepted_format
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import parse_xml, render_xml
from tests.api.test_resources import PATIENT, code
from tests.api.world import World


@pytest.mark.parametrize(
    ("accept", "override", "family"),
    [
        ("", "", "json"),
        ("*/*", "", "json"),
        ("application/fhir+xml", "", "xml"),
        ("application/fhir+xml;q=0.4, application/fhir+json;q=0.5", "", "json"),
        ("text/xml", "", "xml"),
        ("application/fhir+json", "xml", "xml"),
        ("application/fhir+json; fhirVersion=4.0", "", "json"),
        ("", "application/fhir xml", "xml"),
    ],
)
def test_the_format_is_what_is_asked_for(accept: str, override: str, family: str) -> None:
    """``_format`` wins over Accept; quality decides among several."""
    assert family == accepted_format(accept, override).family


@pytest.mark.parametrize(
    "accept", ["text/turtle", "application/fhir+json; fhirVersion=5.0", "image/*"]
)
def test_other_formats_are_refused(accept: str) -> None:
    """406 for what is not served, another FHIR version included."""
    with pytest.raises(BridgeError) as raised:
        accepted_format(accept)
    assert raised.value.code == "FB-4006"


def test_xml_goes_in_and_comes_out(client: FlaskClient) -> None:
    """The same resource in the second format."""
    body = render_xml(PATIENT)
    put = client.put(
        "/fhir/Patient/li",
        data=body,
        content_type="application/fhir+xml",
        headers={"Accept": "application/fhir+xml"},
    )
    assert (201, "application/fhir+xml; charset=utf-8") == (put.status_code, put.content_type)
    read = parse_xml(client.get("/fhir/Patient/li?_format=xml").data)
    assert PATIENT["name"] == read["name"]
    bad = client.put(
        "/fhir/Patient/li", data=b"<!DOCTYPE x><x/>", content_type="application/fhir+xml"
    )
    assert (400, "FB-1011") == (bad.status_code, code(bad))


def test_an_error_comes_in_the_format_that_was_asked_for(client: FlaskClient) -> None:
    """An XML client reads its OperationOutcome as XML."""
    refused = client.get("/fhir/Patient/none", headers={"Accept": "application/fhir+xml"})
    assert "OperationOutcome" == parse_xml(refused.data)["resourceType"]
    assert 406 == client.get("/fhir/Patient/none?_format=turtle").status_code


def test_pretty_and_packed(client: FlaskClient) -> None:
    """Indented on request; gzip for a client that takes it."""
    client.put("/fhir/Patient/li", json=PATIENT)
    assert b"\n  " in client.get("/fhir/Patient/li?_pretty=true").data
    packed = client.get("/fhir/metadata", headers={"Accept-Encoding": "gzip"})
    assert "gzip" == packed.headers["Content-Encoding"]
    assert b"CapabilityStatement" in gzip.decompress(packed.data)


def test_a_packed_body_is_read_within_the_limit(world: World) -> None:
    """A small body that unpacks to a large one is refused before it is large."""
    world.settings = replace(world.settings, max_request_bytes=10_000)
    client = world.client()
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/fhir+json"}
    good = gzip.compress(client.application.json.dumps(PATIENT).encode())
    assert 201 == client.put("/fhir/Patient/li", data=good, headers=headers).status_code
    bomb = client.put("/fhir/Patient/li", data=gzip.compress(b" " * 10_000_000), headers=headers)
    assert (413, "FB-4014") == (bomb.status_code, code(bomb))
    large = client.put("/fhir/Patient/li", data=b" " * 20_000, content_type="application/fhir+json")
    assert (413, "FB-4014") == (large.status_code, code(large))
    broken = client.put("/fhir/Patient/li", data=b"\x1f\x8bxx", headers=headers)
    assert 415 == broken.status_code


def test_a_binary_is_its_content(client: FlaskClient) -> None:
    """Any media type goes in; FHIR or the content itself comes out."""
    posted = client.post("/fhir/Binary", data=b"%PDF-1.7", content_type="application/pdf")
    assert (201, "application/pdf") == (posted.status_code, posted.json["contentType"])
    assert b"%PDF-1.7" == base64.b64decode(posted.json["data"])
    url = f"/fhir/Binary/{posted.json['id']}"
    native = client.get(url, headers={"Accept": "application/pdf"})
    assert (b"%PDF-1.7", "application/pdf") == (native.data, native.content_type)
    page = client.post("/fhir/Binary", data=b"<script>", content_type="text/x-html")
    shown = client.get(f"/fhir/Binary/{page.json['id']}", headers={"Accept": "text/css"})
    assert "html" not in shown.content_type


def test_nothing_of_a_fault_leaks(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unforeseen exception is 500 with a reference, without its text."""

    def broken(*_: object) -> None:
        raise ValueError("secret of patient 李明")

    monkeypatch.setattr(world.store, "read", broken)
    fault = world.client().get("/fhir/Patient/li")
    assert (500, "FB-9001") == (fault.status_code, code(fault))
    assert "secret" not in fault.text
    assert 503 == world.client().get("/health").status_code


def test_a_request_has_an_id(client: FlaskClient) -> None:
    """The client's is echoed; an unusable one is replaced."""
    given = client.get("/fhir/Patient/x", headers={"X-Request-Id": "abc-1"})
    assert "abc-1" == given.headers["X-Request-Id"]
    made = client.get("/fhir/Patient/x", headers={"X-Request-Id": "a b<>"})
    assert 36 == len(made.headers["X-Request-Id"])


def test_health_names_what_the_operator_should_mend(world: World) -> None:
    """An index of other rules leaves the server healthy, with an issue that names the command."""
    assert {"status": "ok"} == world.client().get("/health").json
    with world.store.transaction() as opened:
        opened.put({"resourceType": "Patient", "id": "h"})
    world.store.settings.forget("index revision")
    answer = world.client().get("/health")
    (issue,) = answer.json["issues"]
    assert (200, "FB-5012") == (answer.status_code, issue["code"])
    assert "fhir-bridge reindex" in issue["hint"]

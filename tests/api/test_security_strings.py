"""Hostile strings through every parameter and field: no fault, no leak, nothing changed.

The strings are public collections in the shared folder ``conformance/security/strings``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import definitions
from fhir_bridge.validation import Validator
from tests.api.test_resources import PATIENT
from tests.api.world import World, open_world
from tests.interactions.test_transaction import entry

_LEAKS = ("Traceback", "sqlite", "psycopg", "row_id", "/fhir_bridge/", "OperationalError")


@pytest.fixture(scope="module")
def strings(shared: Path) -> list[str]:
    """All strings of both collections."""
    found: list[str] = []
    for file in sorted((shared / "conformance" / "security" / "strings").glob("*.json")):
        told = json.loads(file.read_text(encoding="utf-8"))
        rows = told if isinstance(told, list) else told["strings"]
        found += [row if isinstance(row, str) else row["string"] for row in rows]
    assert len(found) > 100
    return found


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, FlaskClient]]:
    """One server that holds one patient."""
    world = open_world(f"sqlite:///{tmp_path_factory.mktemp('strings') / 'record.sqlite3'}")
    client = world.client()
    client.put("/fhir/Patient/li", json=PATIENT)
    yield world, client
    world.store.close()


def harmless(answer: Any, what: str) -> None:
    """No server fault and nothing of the machinery in the answer."""
    assert answer.status_code < 500, (what, answer.text[:300])
    if answer.status_code >= 400:
        assert not [leak for leak in _LEAKS if leak in answer.text], what


def test_every_search_parameter_takes_every_string(
    server: tuple[World, FlaskClient], strings: list[str]
) -> None:
    """As value, as modifier, and as name of a parameter; each parameter gets its share."""
    world, client = server
    codes = [
        (name, code)
        for name in ("Patient", "Observation", "Encounter", "ValueSet", "Location")
        for code in world.registry.parameters(name)
    ]
    fixed = ("_id", "family", "birthdate", "identifier", "general-practitioner", "_has:Observation:patient:code",
             "organization.name", "_sort", "_include", "_revinclude", "_count", "_elements", "_summary",
             "_total", "_lastUpdated", "_profile", "_text", "_content", "_list", "_cursor", "_format", "_filter")  # fmt: skip
    for number, text in enumerate(strings):
        for code in fixed:
            harmless(client.get("/fhir/Patient", query_string={code: text}), code)
        for place in range(number, len(codes), 40):
            name, code = codes[place]
            harmless(client.get(f"/fhir/{name}", query_string={code: text}), f"{name}.{code}")
        harmless(client.get("/fhir/Patient", query_string={f"family:{text}": "a"}), "modifier")
        harmless(client.get("/fhir/Patient", query_string={text: "a"}), "name")
        harmless(client.post("/fhir/Patient/_search", data={"family": text}), "form")


def test_every_place_of_a_request_takes_every_string(
    server: tuple[World, FlaskClient], strings: list[str]
) -> None:
    """Path segments, headers, history times, operations, entries of a batch."""
    _, client = server
    for text in strings:
        path = text.replace("/", "%2F")
        for place in (
            f"/fhir/{path}",
            f"/fhir/Patient/{path}",
            f"/fhir/Patient/li/_history/{path}",
        ):
            harmless(client.get(place.replace("?", "%3F")), "path")
        harmless(client.get("/fhir/Patient/li/_history", query_string={"_since": text}), "_since")
        harmless(client.get("/fhir/Patient/li/$everything", query_string={"start": text}), "start")
        value = text.encode("utf-8", "replace").decode("latin-1")
        if not set(value) & {"\r", "\n"}:
            for name in (
                "Accept",
                "If-Match",
                "If-None-Match",
                "If-Modified-Since",
                "Prefer",
                "X-Request-Id",
            ):
                harmless(client.get("/fhir/Patient/li", headers={name: value}), name)
            harmless(
                client.post("/fhir/Patient", json=PATIENT, headers={"If-None-Exist": value}),
                "header",
            )
        patch = json.dumps([{"op": "replace", "path": f"/{text}", "value": text}])
        harmless(
            client.patch(
                "/fhir/Patient/li", data=patch, content_type="application/json-patch+json"
            ),
            "patch",
        )
        bundle = {
            "resourceType": "Bundle",
            "type": "batch",
            "entry": [entry("GET", text), entry(text, "Patient")],
        }
        answer = client.post("/fhir", json=bundle)
        harmless(answer, "batch")
        assert "FB-9001" not in answer.text


def test_stored_text_comes_back_unchanged(
    server: tuple[World, FlaskClient], strings: list[str]
) -> None:
    """What is accepted in a text field is read back as it was; what is refused has a code."""
    world, client = server
    kept = 0
    for number, text in enumerate(strings):
        body = {
            "resourceType": "Patient",
            "id": f"s{number}",
            "name": [{"text": text, "family": text}],
            "identifier": [{"system": "urn:s", "value": text}],
            "address": [{"text": text, "line": [text]}],
            "extension": [{"url": "urn:x", "valueString": text}],
        }
        put = client.put(f"/fhir/Patient/s{number}", json=body)
        harmless(put, "put")
        if put.status_code != 201:
            assert _is_refused(world.validator, body), text
            continue
        kept += 1
        read = client.get(f"/fhir/Patient/s{number}").json
        assert {key: read[key] for key in body} == body
        harmless(client.get(f"/fhir/Patient/s{number}?_format=xml"), "xml")
    assert kept > len(strings) * 0.9


def _is_refused(validator: Validator, body: dict[str, Any]) -> bool:
    """Whether validation finds an error in the body: the only reason to refuse it."""
    assert body["resourceType"] in definitions().resource_types
    try:
        return any(issue.severity in ("error", "fatal") for issue in validator.check(body))
    except BridgeError:
        return True

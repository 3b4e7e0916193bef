"""Clients that were written for other servers: each is told what stands here in its place."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from fhir_bridge.api import capability_statement
from fhir_bridge.search.dialects import words
from tests.api.test_resources import PATIENT, code
from tests.api.world import World
from tests.interactions.test_transaction import entry, send, statuses

PATCHES = (
    "application/json-patch+json", "application/xml-patch+xml", "application/fhir+json",
)  # fmt: skip


@pytest.mark.parametrize("word", sorted(words()))
def test_a_word_of_a_dialect_is_answered_with_the_standards(client: FlaskClient, word: str) -> None:
    """400 FB-4117: whose word it is, and what R4 has; also in another case of letters."""
    for each in (word, word.upper()):
        refused = client.get(f"/fhir/Patient?{each}=1")
        assert (400, "FB-4117") == (refused.status_code, code(refused)), each
        told = refused.json["issue"][0]["diagnostics"]
        assert words()[word][1] in told


def test_no_word_of_a_dialect_hides_one_of_the_standard(client: FlaskClient) -> None:
    """What is a parameter of some type (start of Slot, format of DocumentReference) is answered."""
    for query in ("Slot?start=2026", "DocumentReference?format=x", "Patient?_count=1"):
        assert 200 == client.get(f"/fhir/{query}").status_code
    rows = Path("fhir_bridge/search/dialects.csv").read_text(encoding="utf-8")
    listed = [row["word"].lower() for row in csv.DictReader(rows.splitlines())]
    assert len(listed) == len(set(listed))


def test_a_lenient_client_may_send_them_and_is_told(client: FlaskClient) -> None:
    """Prefer: handling=lenient leaves them out, with a warning in the Bundle."""
    answer = client.get("/fhir/Patient?_totalMethod=count", headers={"Prefer": "handling=lenient"})
    assert answer.status_code == 200
    assert "_total=accurate" in answer.text


@pytest.mark.parametrize("media", ["application/merge-patch+json", "text/plain", "image/png", ""])
@pytest.mark.parametrize("place", ["Patient/p0", "Binary/b0", "Patient?identifier=x"])
def test_a_patch_of_another_media_type_names_those_that_are_taken(
    client: FlaskClient, media: str, place: str
) -> None:
    """415: all of them."""
    refused = client.patch(f"/fhir/{place}", data=b'{"gender":"male"}', content_type=media)
    assert (415, "FB-4007") == (refused.status_code, code(refused))
    assert all(each in refused.json["issue"][0]["diagnostics"] for each in PATCHES)


@pytest.mark.parametrize(
    ("media", "body"),
    [
        ("application/json", {"gender": "male"}),
        ("application/json", {"resourceType": "Patient", "gender": "male"}),
        ("application/fhir+json", {"resourceType": "Patient", "id": "p0", "gender": "male"}),
        ("application/json", [{"op": "replace", "path": "/gender", "value": "male"}]),
        ("application/json-patch+json", {"resourceType": "Patient", "gender": "male"}),
        ("application/json", "male"),
    ],
)
def test_a_part_of_a_resource_is_no_patch_and_is_answered_with_what_is_one(
    client: FlaskClient, media: str, body: object
) -> None:
    """400 FB-4034; nothing is changed."""
    client.put("/fhir/Patient/p0", json=PATIENT | {"id": "p0"})
    refused = client.patch("/fhir/Patient/p0", data=json.dumps(body), content_type=media)
    assert (400, "FB-4034") == (refused.status_code, code(refused))
    told = refused.json["issue"][0]["diagnostics"]
    assert all(each in told for each in (*PATCHES, "PUT", "Parameters"))
    assert client.get("/fhir/Patient/p0").json["meta"]["versionId"] == "1"


@pytest.mark.parametrize("kind", ["transaction", "batch"])
@pytest.mark.parametrize(
    ("request_", "named"),
    [
        (None, "request is missing"),
        ({}, "request.method is missing"),
        ({"method": "PUT"}, "request.url is missing"),
        ({"method": "PUT", "url": 1}, "request.url is no text"),
        ({"url": "Patient/p0"}, "request.method is missing"),
    ],
)
def test_an_entry_that_says_no_address_is_told_which(
    world: World, kind: str, request_: object, named: str
) -> None:
    """What is missing, and what this very entry could say."""
    raw = {"resource": PATIENT | {"id": "p0"}} | ({} if request_ is None else {"request": request_})
    answer = send(world, kind, raw)
    assert named in answer.text
    assert "Patient/p0" in answer.text


@pytest.fixture
def strict(either: World) -> World:
    """A server that wants to know which version an update changes."""
    either.settings = replace(either.settings, require_if_match=True)
    either.client().put("/fhir/Patient/p0", json=PATIENT | {"id": "p0"})
    return either


def test_an_update_without_if_match_is_refused_where_it_is_required(strict: World) -> None:
    """428 FB-4033 with the way out; the version read and named is taken, a stale one is 412."""
    client, changed = strict.client(), PATIENT | {"id": "p0", "gender": "other"}
    url = "/fhir/Patient/p0"
    for headers in ({}, {"If-Match": "*"}):
        refused = client.put(url, json=changed, headers=headers)
        assert (428, "FB-4033") == (refused.status_code, code(refused))
    assert "If-Match" in refused.json["issue"][0]["diagnostics"]
    tag = client.get(url).headers["ETag"]
    assert 200 == client.put(url, json=changed, headers={"If-Match": tag}).status_code
    stale = client.put(url, json=PATIENT | {"id": "p0"}, headers={"If-Match": tag})
    assert 412 == stale.status_code
    assert client.get(url).json["gender"] == "other"


def test_what_overwrites_nothing_needs_no_version(strict: World) -> None:
    """Creating under an id, a patch (it changes the present version), a delete; after it a create."""
    client = strict.client()
    assert 201 == client.put("/fhir/Patient/p1", json=PATIENT | {"id": "p1"}).status_code
    patch = [{"op": "replace", "path": "/gender", "value": "other"}]
    patched = client.patch(
        "/fhir/Patient/p1", data=json.dumps(patch), content_type="application/json-patch+json"
    )
    assert 200 == patched.status_code
    assert 204 == client.delete("/fhir/Patient/p1").status_code
    assert 201 == client.put("/fhir/Patient/p1", json=PATIENT | {"id": "p1"}).status_code


def test_updates_by_condition_and_in_bundles_need_it_too(strict: World) -> None:
    """All ways to update; a transaction leaves nothing."""
    client = strict.client()
    known = PATIENT | {"id": "p0", "identifier": [{"system": "urn:x", "value": "1"}]}
    tag = client.get("/fhir/Patient/p0").headers["ETag"]
    assert 200 == client.put("/fhir/Patient/p0", json=known, headers={"If-Match": tag}).status_code
    by_condition = client.put("/fhir/Patient?identifier=urn:x|1", json=known | {"gender": "other"})
    assert (428, "FB-4033") == (by_condition.status_code, code(by_condition))
    update = entry("PUT", "Patient/p0", known | {"gender": "other"})
    fresh = entry("PUT", "Patient/p9", PATIENT | {"id": "p9"})
    refused = send(strict, "transaction", fresh, update)
    assert (428, "FB-4033") == (refused.status_code, code(refused))
    assert 404 == client.get("/fhir/Patient/p9").status_code
    assert ["201", "428"] == statuses(send(strict, "batch", fresh, update))
    update["request"]["ifMatch"] = client.get("/fhir/Patient/p0").headers["ETag"]
    assert 200 == send(strict, "transaction", update).status_code


def test_the_capability_statement_says_that_versions_are_required(world: World) -> None:
    """versioned-update where the setting is on, versioned otherwise."""
    for required, said in ((True, "versioned-update"), (False, "versioned")):
        stated = capability_statement(
            world.definitions, world.registry, "http://x/fhir", require_if_match=required
        )
        assert {each["versioning"] for each in stated["rest"][0]["resource"]} == {said}

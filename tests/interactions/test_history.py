"""Histories: every version once, newest first, in the window and the parts that are asked for.

https://hl7.org/fhir/R4/http.html#history
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient

from tests.api.test_resources import JSON_PATCH, PATIENT, code
from tests.api.world import BASE, World
from tests.interactions.test_search import link

URL = "/fhir/Patient/li/_history"


@pytest.fixture
def client(either: World) -> FlaskClient:
    """A patient created, updated, patched, deleted and brought back; and another one."""
    client = either.client()
    place = "/fhir/Patient/li"
    client.put(place, json=PATIENT)
    client.put(place, json=PATIENT | {"gender": "female"})
    patch = json.dumps([{"op": "replace", "path": "/gender", "value": "other"}])
    client.patch(place, data=patch, content_type=JSON_PATCH)
    client.delete(place)
    client.put(place, json=PATIENT)
    client.put("/fhir/Patient/wang", json=PATIENT | {"id": "wang"})
    return client


def versions(answer: Any) -> list[str]:
    """The versions of a page, by the tags of its entries."""
    return [each["response"]["etag"][3:-1] for each in answer.json.get("entry", ())]


def test_each_version_has_its_request_and_response(client: FlaskClient) -> None:
    """Newest first; a deletion has no resource; every entry has address, tag and time."""
    answer = client.get(URL)
    entries = answer.json["entry"]
    assert ("history", 5) == (answer.json["type"], answer.json["total"])
    assert ["5", "4", "3", "2", "1"] == versions(answer)
    assert ["PUT", "DELETE", "PUT", "PUT", "PUT"] == [e["request"]["method"] for e in entries]
    assert [True, False, True, True, True] == ["resource" in each for each in entries]
    assert {f"{BASE}/Patient/li"} == {each["fullUrl"] for each in entries}
    assert ("204", "201") == (
        entries[1]["response"]["status"][:3],
        entries[4]["response"]["status"][:3],
    )
    assert all(each["response"]["lastModified"] for each in entries)
    issues = client.post("/fhir/Bundle/$validate", json=answer.json).json["issue"]
    assert {"information"} == {each["severity"] for each in issues}


@pytest.mark.parametrize("place", [URL, "/fhir/Patient/_history", "/fhir/_history"])
@pytest.mark.parametrize("size", [1, 2, 4])
def test_pages_hold_every_version_once(client: FlaskClient, place: str, size: int) -> None:
    """And none that came after the first page."""
    whole = [(e["fullUrl"], e["response"]["etag"]) for e in client.get(place).json["entry"]]
    seen: list[tuple[str, str]] = []
    following = f"{place}?_count={size}"
    while following:
        page = client.get(following)
        assert 200 == page.status_code, page.text
        assert size >= len(page.json["entry"])
        seen += [(e["fullUrl"], e["response"]["etag"]) for e in page.json["entry"]]
        following = link(page.json, "next")
        client.put("/fhir/Patient/li", json=PATIENT | {"multipleBirthInteger": len(seen)})
    assert whole == seen


def test_a_window_begins_and_a_moment_shows(client: FlaskClient) -> None:
    """``_since`` includes its own instant; ``_at`` shows what was current then."""
    times = {
        each["response"]["etag"][3:-1]: each["response"]["lastModified"]
        for each in client.get(URL).json["entry"]
    }
    since = client.get(f"{URL}?_since={quote(times['3'])}")
    assert {"5", "4", "3"} <= set(versions(since))
    assert times["2"] == times["3"] or "1" not in versions(since) or times["1"] == times["3"]
    assert [] == versions(client.get(f"{URL}?_since=2999-01-01"))
    assert "5" in versions(client.get(f"{URL}?_at=2999"))
    assert [] == versions(client.get(f"{URL}?_at=1999-12-31T00:00:00Z"))


def test_parts_and_totals(client: FlaskClient) -> None:
    """``_elements`` and ``_summary`` as for any interaction; count alone has no entries."""
    part = client.get(f"{URL}?_elements=gender").json["entry"][0]["resource"]
    assert {"resourceType", "id", "meta", "gender"} == part.keys()
    assert "SUBSETTED" == part["meta"]["tag"][-1]["code"]
    for query in ("_summary=count", "_count=0"):
        counted = client.get(f"{URL}?{query}").json
        assert (5, False) == (counted["total"], "entry" in counted)
    first = client.get(f"{URL}?_elements=gender&_count=1")
    assert "_elements=gender" in link(first.json, "next")


@pytest.mark.parametrize("query", ["_since=x", "_at=2026-13", "_count=-1", "_count=x", "gender=male",
                                   "_summary=x", "_elements=nonsense", "_cursor=x"])  # fmt: skip
def test_what_cannot_be_asked_is_refused(client: FlaskClient, query: str) -> None:
    """400 with what is wrong."""
    assert 400 == client.get(f"{URL}?{query}").status_code


def test_a_history_of_nothing(client: FlaskClient) -> None:
    """Of what never was: 404; of a type without resources: empty; of no type: 404."""
    never = client.get("/fhir/Patient/never/_history")
    assert (404, "FB-4001") == (never.status_code, code(never))
    assert (200, 0) == (
        client.get("/fhir/Flag/_history").status_code,
        client.get("/fhir/Flag/_history").json["total"],
    )
    assert 404 == client.get("/fhir/Nonsense/_history").status_code


def test_the_statement_can_be_asked_for_in_part(client: FlaskClient) -> None:
    """As any resource: its summary leaves out what is long."""
    whole, part = client.get("/fhir/metadata"), client.get("/fhir/metadata?_elements=fhirVersion")
    assert "4.0.1" == part.json["fhirVersion"]
    assert len(part.data) < len(whole.data) / 100
    assert 200 == client.get("/fhir/metadata?_summary=true").status_code

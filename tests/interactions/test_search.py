"""search over HTTP: Bundles, links, subsets, compartments, refusals."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient

from tests.api.test_resources import PATIENT, code
from tests.interactions.test_transaction import OBSERVATION


@pytest.fixture
def filled(client: FlaskClient) -> FlaskClient:
    """Five patients, the first with two observations."""
    for number in range(5):
        identifier = [{"system": "urn:h", "value": str(number)}]
        body = PATIENT | {"id": f"p{number}", "identifier": identifier, "active": number % 2 == 0}
        client.put(f"/fhir/Patient/p{number}", json=body)
    for number in range(2):
        body = OBSERVATION | {"id": f"o{number}", "subject": {"reference": "Patient/p0"}}
        client.put(f"/fhir/Observation/o{number}", json=body)
    return client


def ids(bundle: Any, mode: str = "match") -> list[str]:
    """Ids of the entries of one mode."""
    entries = [each for each in bundle.get("entry", []) if each["search"]["mode"] == mode]
    return sorted(each["resource"]["id"] for each in entries)


def link(bundle: Any, relation: str) -> str:
    """Path and query of a link; "" when it is not there."""
    urls = [each["url"] for each in bundle["link"] if each["relation"] == relation]
    if not urls:
        return ""
    parts = urlsplit(urls[0])
    return f"{parts.path}?{parts.query}"


def test_get_and_post_find_the_same(filled: FlaskClient) -> None:
    """A form carries the parameters of a query string."""
    found = filled.get("/fhir/Patient?identifier=urn:h|3").json
    assert ["p3"] == ids(found)
    posted = filled.post("/fhir/Patient/_search?active=false", data={"identifier": "urn:h|3"})
    assert found["entry"] == posted.json["entry"]


def test_pages_lead_through_everything(filled: FlaskClient) -> None:
    """Next links end, and no resource comes twice."""
    seen: list[str] = []
    place = "/fhir/Patient?_count=2"
    while place:
        page = filled.get(place).json
        seen += ids(page)
        place = link(page, "next")
    assert ["p0", "p1", "p2", "p3", "p4"] == sorted(seen)


def test_a_page_link_cannot_be_changed(filled: FlaskClient) -> None:
    """A cursor of another search, or one made up, is refused."""
    following = link(filled.get("/fhir/Patient?_count=2").json, "next")
    cursor = following.rpartition("_cursor=")[2]
    other = filled.get(f"/fhir/Patient?active=true&_count=2&_cursor={cursor}")
    assert (400, "FB-4110") == (other.status_code, code(other))
    assert 400 == filled.get("/fhir/Patient?_cursor=AAAA").status_code


def test_unknown_parameters_are_refused_or_reported(filled: FlaskClient) -> None:
    """Strict: 400 with what is allowed.  Lenient: dropped, and the Bundle says so."""
    strict = filled.get("/fhir/Patient?nonsense=1&active=true")
    assert (400, "FB-4101") == (strict.status_code, code(strict))
    assert "birthdate" in strict.json["issue"][0]["diagnostics"]
    lenient = filled.get(
        "/fhir/Patient?nonsense=1&active=true", headers={"Prefer": "handling=lenient"}
    )
    assert ["p0", "p2", "p4"] == ids(lenient.json)
    outcomes = [e["resource"] for e in lenient.json["entry"] if e["search"]["mode"] == "outcome"]
    assert "warning" == outcomes[0]["issue"][0]["severity"]
    assert "nonsense" not in link(lenient.json, "self")


def test_summary_and_elements(filled: FlaskClient) -> None:
    """Parts keep what is mandatory and say that they are parts; count has no entries."""
    part = filled.get("/fhir/Observation?_elements=subject").json["entry"][0]["resource"]
    assert {"resourceType", "id", "meta", "status", "code", "subject"} == part.keys()
    assert "SUBSETTED" == part["meta"]["tag"][0]["code"]
    summary = filled.get("/fhir/Patient/p0?_summary=true").json
    assert "SUBSETTED" == summary["meta"]["tag"][0]["code"]
    count = filled.get("/fhir/Patient?_summary=count").json
    assert (5, []) == (count["total"], count.get("entry", []))
    assert 5 == filled.get("/fhir/Patient?_count=0").json["total"]
    assert 400 == filled.get("/fhir/Patient?_summary=some").status_code
    assert 400 == filled.get("/fhir/Patient?_elements=nonsense").status_code


def test_includes_follow(filled: FlaskClient) -> None:
    """Included resources are marked as such."""
    found = filled.get("/fhir/Observation?_include=Observation:subject").json
    assert (["o0", "o1"], ["p0"]) == (ids(found), ids(found, "include"))


def test_compartments(filled: FlaskClient) -> None:
    """One type, or all types, of what belongs to a patient."""
    assert ["o0", "o1"] == ids(filled.get("/fhir/Patient/p0/Observation").json)
    assert ["o0", "o1"] == ids(filled.get("/fhir/Patient/p0/*").json)
    assert [] == ids(filled.get("/fhir/Patient/p1/Observation").json)
    assert 404 == filled.get("/fhir/Location/p1/Observation").status_code


def test_the_whole_system_is_searched(filled: FlaskClient) -> None:
    """By GET of the base and by POST of ``_search``."""
    assert ["o0", "o1"] == ids(filled.get("/fhir?_type=Observation").json)
    assert ["o0"] == ids(
        filled.post("/fhir/_search", data={"_type": "Observation", "_id": "o0"}).json
    )


def test_history_has_pages_and_times(filled: FlaskClient) -> None:
    """Instance, type and system history; ``_since`` and ``_count`` limit."""
    filled.put("/fhir/Patient/p0", json=PATIENT | {"id": "p0"})
    assert 2 == filled.get("/fhir/Patient/p0/_history").json["total"]
    assert 6 == filled.get("/fhir/Patient/_history").json["total"]
    assert 8 == filled.get("/fhir/_history").json["total"]
    assert 0 == filled.get("/fhir/_history?_since=2999-01-01").json["total"]
    seen = 0
    place = "/fhir/_history?_count=3"
    while place:
        page = filled.get(place).json
        seen += len(page["entry"])
        place = link(page, "next")
    assert 8 == seen
    at = filled.get("/fhir/Patient/p0/_history?_at=2999").json
    assert ['W/"2"'] == [each["response"]["etag"] for each in at["entry"]]
    for bad in ("_since=x", "_count=x", "_at=2026-99", "nonsense=1"):
        assert 400 == filled.get(f"/fhir/Patient/_history?{bad}").status_code, bad

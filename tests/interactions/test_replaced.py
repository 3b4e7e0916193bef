"""A client that knows a Patient by the id of before a merge finds what it means."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from fhir_bridge.access import Access
from fhir_bridge.identity.keys import replaced_key
from tests.api.test_resources import PATIENT
from tests.api.world import World
from tests.interactions.test_search import ids, link
from tests.interactions.test_transaction import OBSERVATION


@pytest.fixture
def merged(either: World) -> FlaskClient:
    """Patient old became part of mid, and mid of new, who has three observations."""
    client = either.client()
    for name in ("old", "mid", "new", "other"):
        assert 201 == client.put(f"/fhir/Patient/{name}", json=PATIENT | {"id": name}).status_code
    for number in range(3):
        body = OBSERVATION | {"id": f"o{number}", "subject": {"reference": "Patient/new"}}
        client.put(f"/fhir/Observation/o{number}", json=body)
    body = OBSERVATION | {"id": "theirs", "subject": {"reference": "Patient/other"}}
    client.put("/fhir/Observation/theirs", json=body)
    with either.store.transaction() as tx:
        tx.set_identity_keys({replaced_key("old"): "mid", replaced_key("mid"): "new"})
    return client


@pytest.mark.parametrize(
    "query",
    [
        "Observation?patient=old",
        "Observation?subject=Patient/old",
        "Observation?subject:Patient=mid",
        "Observation?patient=Patient/new",
        "Patient/old/Observation",
        "Patient/new/Observation?_summary=count",
    ],
)
def test_a_search_by_the_old_patient_finds_what_is_the_survivors(
    merged: FlaskClient, query: str
) -> None:
    """By reference and by compartment, through a chain of merges."""
    found = merged.get(f"/fhir/{query}").json
    assert found["total"] == 3
    assert ids(found) in (["o0", "o1", "o2"], [])


def test_with_another_patient_beside_it_nothing_is_missed(merged: FlaskClient) -> None:
    """Two ids in one parameter, one of them old."""
    found = merged.get("/fhir/Observation?patient=other,old").json
    assert ids(found) == ["o0", "o1", "o2", "theirs"]


def test_the_pages_of_such_a_search_lead_to_the_end(merged: FlaskClient) -> None:
    """The links say what was really searched."""
    seen, place = list[str](), "/fhir/Observation?patient=old&_count=2"
    while place:
        page = merged.get(place).json
        seen += ids(page)
        place = link(page, "next")
    assert sorted(seen) == ["o0", "o1", "o2"]


def test_everything_of_the_old_patient_is_everything_of_the_survivor(merged: FlaskClient) -> None:
    """And the old Patient itself."""
    found = merged.get("/fhir/Patient/old/$everything").json
    assert {"old", "o0", "o1", "o2"} <= set(ids(found))


def test_who_may_see_the_old_patient_alone_is_told_nothing_of_the_other(
    either: World, merged: FlaskClient
) -> None:
    """Not even its id."""
    either.access = Access.patients(["old"])
    found = merged.get("/fhir/Observation?patient=old")
    assert found.json["total"] == 0
    assert "new" not in found.text

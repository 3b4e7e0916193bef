"""The time and the size of a request are bounded, and what is refused leaves nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.api.test_resources import PATIENT, code
from tests.api.world import World
from tests.interactions.test_transaction import entry, send, statuses


@pytest.fixture
def late(either: World) -> World:
    """A server on which every request has had its time already."""
    client = either.client()
    for number in range(3):
        client.put(f"/fhir/Patient/p{number}", json=PATIENT | {"id": f"p{number}"})
        held = {"resourceType": "Flag", "status": "active", "code": {"text": "x"}}
        client.post("/fhir/Flag", json=held | {"subject": {"reference": "Patient/p0"}})
    either.settings = replace(either.settings, max_page=1, max_request_seconds=-1)
    return either


def test_a_transaction_that_is_late_leaves_nothing(late: World) -> None:
    """503 FB-4027, and none of its entries is there."""
    listed = [entry("PUT", f"Patient/n{n}", PATIENT | {"id": f"n{n}"}) for n in range(3)]
    refused = send(late, "transaction", *listed)
    assert (503, "FB-4027") == (refused.status_code, code(refused))
    assert [404] * 3 == [late.client().get(f"/fhir/Patient/n{n}").status_code for n in range(3)]


def test_a_batch_that_is_late_answers_each_entry(late: World) -> None:
    """What there was no time for says so at its own place."""
    answer = send(late, "batch", entry("GET", "Patient/p0"), entry("DELETE", "Patient/p1"))
    assert ["503", "503"] == statuses(answer)
    assert 200 == late.client().get("/fhir/Patient/p1").status_code


@pytest.mark.parametrize("place", ["Patient/p0/$everything", "$meta"])
def test_an_operation_that_is_late_gives_up(late: World, place: str) -> None:
    """503 with the hint to ask for less."""
    refused = late.client().get(f"/fhir/{place}")
    assert (503, "FB-4027") == (refused.status_code, code(refused))
    assert refused.json["issue"][0]["diagnostics"]


def test_a_page_is_never_larger_than_the_setting(either: World) -> None:
    """Whatever ``_count`` asks for, in searches, histories and records."""
    either.settings = replace(either.settings, max_page=2)
    client = either.client()
    for number in range(5):
        client.put(f"/fhir/Patient/p{number}", json=PATIENT | {"id": f"p{number}"})
    for place in ("Patient", "Patient/_history", "_history"):
        page = client.get(f"/fhir/{place}?_count=999999")
        assert 2 == len(page.json["entry"]), place

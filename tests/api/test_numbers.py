"""Numbers of any size in addresses and headers: answered, or refused with 4xx, never a fault."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import pytest

from tests.api.test_resources import PATIENT
from tests.api.world import World

NUMBERS = [
    "9" * 9, "9" * 10, "9" * 18, "9" * 19, "9" * 20, "9" * 400, "9" * 5000, "2147483648",
    "9223372036854775808", "-1", "-" + "9" * 30, "0", "00", "1e400", "1e-400", "1e999999",
    "9.9e99999999999", "1" + "0" * 4300, "0x10", "１２", "1_000", "NaN", "Infinity", "-0", "+1", "1.5",
]  # fmt: skip
DATES = [
    "0000", "0001", "9999", "10000", "99999-01-01", "0000-00-00", "0001-01-01", "9999-12-31",
    "9999-12-31T23:59:59.999999999+14:00", "0001-01-01T00:00:00-14:00", "2026-13-01", "2026-02-30",
    "2026-01-01T24:00:00Z", "2026-01-01T00:00:60Z", "2026-01-01T00:00:00+99:99", "-2026",
    "2026-01-01T00:00:00." + "9" * 400 + "Z",
]  # fmt: skip
PLACES = [
    "Patient?_count={}", "Patient?_id={}", "Patient?_lastUpdated={}", "Patient?birthdate={}",
    "Patient?birthdate=ge{}", "Patient?birthdate=ap{}", "Patient?birthdate=eb{}", "Observation?date=sa{}",
    "Observation?value-quantity={}", "Observation?value-quantity=ap{}|http://unitsofmeasure.org|mg",
    "Observation?value-quantity=gt{}||mg", "RiskAssessment?probability={}", "RiskAssessment?probability=ne{}",
    "Location?near={}|0", "Location?near=0|0|{}|km", "Patient?_filter=birthdate%20ge%20{}",
    "Observation?_filter=value-quantity%20gt%20{}", "Patient?identifier={}", "Patient?name={}",
    "Patient?general-practitioner={}", "Patient?_has:Observation:subject:value-quantity={}",
    "Patient?_cursor={}", "Patient/_history?_count={}", "Patient/p0/_history?_cursor={}", "_history?_since={}",
    "Patient/p0/_history?_at={}", "Patient/{}", "Patient/p0/_history/{}", "Patient/{}/_history/1",
    "Patient/p0/$everything?_count={}", "Patient/p0/$everything?_since={}", "Patient/p0/$everything?start={}",
    "Patient/p0/$everything?end={}", "Patient/p0/Observation?_count={}", "?_type=Patient&_count={}",
    "ChargeItem?factor-override={}", "Observation?component-code-value-quantity=a${}",
]  # fmt: skip


def _client(world: World):
    client = world.client()
    assert client.put("/fhir/Patient/p0", json=PATIENT | {"id": "p0"}).status_code == 201
    return client


def test_no_number_in_an_address_is_a_fault(either: World) -> None:
    """Each place with each number and date."""
    client = _client(either)
    wrong = []
    for place in PLACES:
        for number in (*NUMBERS, *DATES):
            if len(number) > 3000 and "_history/" in place:
                continue  # longer than an address may be anyway
            status = client.get(f"/fhir/{place.replace('{}', quote(number))}").status_code
            if status >= 500:
                wrong.append((place, number[:30], status))
    assert wrong == []


@pytest.mark.parametrize("name", ["If-Match", "If-None-Match", "If-Modified-Since"])
def test_no_number_in_a_header_is_a_fault(either: World, name: str) -> None:
    """Versions and dates of conditions."""
    client = _client(either)
    for number in (*NUMBERS, *DATES):
        if not number.isascii():
            continue
        for value in (number, f'W/"{number}"', f"Fri, 02 Jan {number} 03:04:05 GMT"):
            headers = {name: value}
            assert client.get("/fhir/Patient/p0", headers=headers).status_code < 500, value[:40]
            answer = client.put("/fhir/Patient/p0", json=PATIENT | {"id": "p0"}, headers=headers)
            assert answer.status_code < 500, value[:40]


@pytest.mark.parametrize("number", ["9" * 10, "9" * 400, "-1", "1e3", "１２", "1_000"])
def test_a_count_that_is_no_count_is_refused(world: World, number: str) -> None:
    """400 everywhere, with a code, not a page of some other size."""
    client = _client(world)
    for place in ("Patient", "Patient/_history", "_history", "Patient/p0/$everything"):
        assert client.get(f"/fhir/{place}?_count={quote(number)}").status_code == 400, place


def test_no_number_in_a_resource_is_a_fault(either: World) -> None:
    """Values beyond a double, in every kind of index."""
    client = _client(either)
    for number in ("1" + "0" * 400, "-1" + "0" * 400, "9E+99999", "1e-99999", "1" + "0" * 4000):
        body = (
            '{"resourceType":"Observation","status":"final","code":{"text":"x"},'
            '"subject":{"reference":"Patient/p0"},'
            f'"valueQuantity":{{"value":{number},"unit":"mg",'
            '"system":"http://unitsofmeasure.org","code":"mg"}}'
        )
        headers = {"Content-Type": "application/fhir+json"}
        answer = client.post("/fhir/Observation", data=body, headers=headers)
        assert answer.status_code in (201, 400, 422), number[:20]
        if answer.status_code == 201:
            place = answer.headers["Location"].split("/fhir/")[1].split("/_history")[0]
            assert client.get(f"/fhir/{place}").status_code == 200
    for query in ("value-quantity=gt1", "value-quantity=1e999999", "_sort=value-quantity"):
        assert client.get(f"/fhir/Observation?{query}").status_code < 500, query
    assert client.get("/fhir/Observation?_format=xml").status_code == 200


def test_a_link_changed_by_hand_asks_for_no_larger_page(either: World) -> None:
    """Searches, a search of everything, histories and a whole record, at every later page."""
    either.settings = replace(either.settings, max_page=2)
    client = either.client()
    for number in range(7):
        client.put(f"/fhir/Patient/p{number}", json=PATIENT | {"id": f"p{number}"})
        flag = {"resourceType": "Flag", "status": "active", "code": {"text": "x"}}
        client.post("/fhir/Flag", json=flag | {"subject": {"reference": "Patient/p0"}})
    for place in (
        "Patient?_count=1", "?_type=Patient&_count=1", "Patient?_count=1&_sort=-_id",
        "Patient/p0/Flag?_count=1", "Patient/_history?_count=1", "_history?_count=1",
        "Patient/p0/$everything?_count=1",
    ):  # fmt: skip
        first = client.get(f"/fhir/{place}").json
        following = next(each["url"] for each in first["link"] if each["relation"] == "next")
        parts = urlsplit(following)
        pairs = [pair for pair in parse_qsl(parts.query) if pair[0] != "_count"]
        for counts in (["999999"], ["1", "999999"]):
            query = urlencode([*pairs, *(("_count", each) for each in counts)])
            answer = client.get(f"{parts.path}?{query}")
            assert answer.status_code in (200, 400), place
            entries = (answer.json or {}).get("entry", [])
            matches = [each for each in entries if each.get("search", {}).get("mode") != "include"]
            assert len(matches) <= 2, place

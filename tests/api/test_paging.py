"""Page links: sealed, for one question and one caller, and no larger than a page may be.

https://hl7.org/fhir/R4/http.html#paging
"""

from __future__ import annotations

from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from flask.testing import FlaskClient

from fhir_bridge.access import Access
from tests.api.test_resources import PATIENT, code
from tests.api.world import World
from tests.interactions.test_search import link
from tests.interactions.test_transaction import OBSERVATION

PLACES = (
    "/fhir/Patient?_count=1",
    "/fhir/Patient?_count=1&_sort=family",
    "/fhir/Observation?_count=1&_include=Observation:subject",
    "/fhir?_type=Patient,Observation&_count=1",
    "/fhir/Patient/p0/Observation?_count=1",
    "/fhir/Patient/p0/*?_count=1",
    "/fhir/Patient/p0/_history?_count=1",
    "/fhir/Patient/_history?_count=1",
    "/fhir/_history?_count=1",
    "/fhir/Patient/p0/$everything?_count=1",
)


@pytest.fixture
def filled(either: World) -> World:
    """Four patients, each in three versions and with three observations."""
    client = either.client()
    for version in range(3):
        for number in range(4):
            body = PATIENT | {"id": f"p{number}", "multipleBirthInteger": version}
            assert client.put(f"/fhir/Patient/p{number}", json=body).status_code < 300
            place = f"o{number}-{version}"
            about = {"id": place, "subject": {"reference": f"Patient/p{number}"}}
            assert client.put(f"/fhir/Observation/{place}", json=OBSERVATION | about).status_code
    return either


def next_of(client: FlaskClient, place: str) -> str:
    """The link to the second page."""
    answer = client.get(place)
    assert 200 == answer.status_code, answer.text
    following = link(answer.json, "next")
    assert following, place
    return following


def cursor_of(following: str) -> str:
    """The sealed part of a link."""
    return parse_qs(urlsplit(following).query)["_cursor"][0]


@pytest.mark.parametrize("place", PLACES)
def test_a_link_is_of_use_to_its_caller_only(filled: World, place: str) -> None:
    """With other rights it is refused, or shows nothing that these rights do not show."""
    client = filled.client()
    following = next_of(client, place)
    for access in (
        Access.nothing(),
        Access.patients([]),
        Access.patients(["p3"]),
        Access.patients(["p3"]).only_types(["Patient", "Observation"]),
        Access.everything().only_types(["Practitioner"]),
    ):
        filled.access = access
        answer = client.get(following)
        assert answer.status_code in (200, 400, 403, 404), answer.text
        assert not answer.json.get("entry")
    filled.access = Access.everything()
    assert client.get(following).json["entry"]


ONE_PAGE = PLACES[:2]
"""Where a caller who sees one patient sees one match."""


@pytest.mark.parametrize("place", ONE_PAGE)
def test_rights_that_one_page_fills_make_no_link(filled: World, place: str) -> None:
    """That there is more for others is not told."""
    filled.access = Access.patients(["p0"])
    answer = filled.client().get(place)
    assert 1 == len(answer.json["entry"])
    assert not link(answer.json, "next")


@pytest.mark.parametrize("place", [place for place in PLACES if place not in ONE_PAGE])
def test_a_link_of_little_rights_gives_no_more_with_greater_ones(filled: World, place: str) -> None:
    """It belongs to the rights under which it was made: FB-4110."""
    client = filled.client()
    filled.access = Access.patients(["p0"])
    following = next_of(client, place)
    filled.access = Access.patients(["p0", "p1"])
    refused = client.get(following)
    assert (400, "FB-4110") == (refused.status_code, code(refused))


@pytest.mark.parametrize("place", PLACES)
def test_a_changed_link_is_refused(filled: World, place: str) -> None:
    """Any character changed, left out or added: FB-4110, never a fault."""
    client = filled.client()
    following = next_of(client, place)
    sealed = cursor_of(following)
    forged = {sealed[:at] + ("A" if sealed[at] != "A" else "B") + sealed[at + 1 :]
              for at in range(0, len(sealed) - 1, 7)}  # fmt: skip
    forged |= {sealed[:-4], sealed + "AAAA", sealed[4:], "A" * 5000, "\x01", "ü", "=", "A"}
    for each in forged:
        answer = client.get(f"{place}&{urlencode({'_cursor': each})}")
        assert (400, "FB-4110") == (answer.status_code, code(answer)), each


def test_a_link_holds_for_no_other_question(filled: World) -> None:
    """Each cursor at each of the other places is refused."""
    client = filled.client()
    others = [*PLACES, "/fhir/Patient/p1/_history?_count=1", "/fhir/Patient/p1/Observation?_count=1",
              "/fhir/Patient/p1/$everything?_count=1", "/fhir/Patient?_count=1&gender=male"]  # fmt: skip
    for place in PLACES:
        sealed = cursor_of(next_of(client, place))
        for other in others:
            if other == place:
                continue
            answer = client.get(f"{other}&_cursor={sealed}")
            assert (400, "FB-4110") == (answer.status_code, code(answer)), (place, other)


@pytest.mark.parametrize("place", PLACES)
def test_a_link_asks_for_no_more_than_a_page(filled: World, place: str) -> None:
    """A greater _count beside the cursor is cut to the largest page."""
    object.__setattr__(filled.settings, "max_page", 2)
    client = filled.client()
    greedy = next_of(client, place).replace("_count=1", "_count=999999")
    entries = client.get(greedy).json["entry"]
    assert 2 >= len([e for e in entries if e.get("search", {}).get("mode") != "include"])


@pytest.mark.parametrize(
    "query",
    [
        "Practitioner?_has:Observation:performer:patient=p1",
        "Practitioner?_has:Observation:performer:patient.family=李",
        "Practitioner?_has:Observation:performer:code=8867-4",
        "Practitioner?_id=doc&_revinclude=Observation:performer",
        "Practitioner?_has:Observation:performer:subject:Patient._has:Observation:subject:performer=doc",
        "Practitioner?_list=l1",
    ],
)
def test_what_may_not_be_seen_cannot_be_inferred(either: World, query: str) -> None:
    """Chains, reverse chains and includes run over what the caller may see, too."""
    client = either.client()
    client.put("/fhir/Practitioner/doc", json={"resourceType": "Practitioner", "id": "doc"})
    client.put("/fhir/Patient/p1", json=PATIENT | {"id": "p1"})
    held = {"resourceType": "List", "id": "l1", "status": "current", "mode": "working",
            "subject": {"reference": "Patient/p1"},
            "entry": [{"item": {"reference": "Practitioner/doc"}}]}  # fmt: skip
    client.put("/fhir/List/l1", json=held)
    body = OBSERVATION | {"id": "o1", "subject": {"reference": "Patient/p1"},
                          "performer": [{"reference": "Practitioner/doc"}]}  # fmt: skip
    client.put("/fhir/Observation/o1", json=body)
    assert client.get(f"/fhir/{query}").json.get("entry"), "somebody else finds it"
    either.access = Access.patients(["p0"])
    assert 200 == client.get("/fhir/Practitioner/doc").status_code
    found = client.get(f"/fhir/{query}")
    assert 200 == found.status_code, found.text
    assert {"doc"} >= {each["resource"]["id"] for each in found.json.get("entry", [])}
    if "_revinclude" not in query:
        assert not found.json.get("entry"), "tells that p1 was seen by doc"

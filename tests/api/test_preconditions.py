"""Conditions in headers: what must hold before anything is read again or changed.

https://hl7.org/fhir/R4/http.html#concurrency, https://www.rfc-editor.org/rfc/rfc9110#section-13
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask.testing import FlaskClient

from tests.api.test_resources import JSON_PATCH, PATIENT, code
from tests.api.world import World

NEW = {"If-None-Match": "*"}
URL = "/fhir/Patient/li"


@pytest.fixture
def client(either: World) -> FlaskClient:
    """A server that holds one patient in its second version."""
    client = either.client()
    client.put(URL, json=PATIENT)
    assert 200 == client.put(URL, json=PATIENT | {"gender": "female"}).status_code
    return client


def test_an_update_that_must_create_changes_nothing(client: FlaskClient) -> None:
    """If-None-Match: * creates where nothing is, and after a deletion; else 412."""
    refused = client.put(URL, json=PATIENT, headers=NEW)
    assert (412, "FB-4031") == (refused.status_code, code(refused))
    assert 'W/"2"' == client.get(URL).headers["ETag"]
    assert 201 == client.put("/fhir/Patient/x", json=PATIENT | {"id": "x"}, headers=NEW).status_code
    client.delete(URL)
    assert 201 == client.put(URL, json=PATIENT, headers=NEW).status_code


def test_a_version_that_must_not_be_there(client: FlaskClient) -> None:
    """If-None-Match with the present version refuses a change, with another one it passes."""
    present, past = {"If-None-Match": 'W/"2"'}, {"If-None-Match": 'W/"1"'}
    assert 412 == client.put(URL, json=PATIENT, headers=present).status_code
    assert 200 == client.put(URL, json=PATIENT, headers=past).status_code


@pytest.mark.parametrize("tag", ["*", 'W/"1"'])
def test_if_match_asks_for_something_that_is_there(client: FlaskClient, tag: str) -> None:
    """What never was, or is deleted, matches no tag and not even the star: 412."""
    headers = {"If-Match": tag}
    never = client.put("/fhir/Patient/x", json=PATIENT | {"id": "x"}, headers=headers)
    assert (412, "FB-4031") == (never.status_code, code(never))
    client.delete(URL)
    assert 412 == client.put(URL, json=PATIENT, headers=headers).status_code


def test_if_match_guards_a_patch_and_a_delete(client: FlaskClient) -> None:
    """Stale: 412 and unchanged; present or star: done."""
    patch = json.dumps([{"op": "replace", "path": "/gender", "value": "other"}])

    def send(method: str, tag: str, url: str = URL) -> int:
        headers = {"If-Match": tag, "Content-Type": JSON_PATCH}
        data = patch if method == "PATCH" else None
        return client.open(url, method=method, data=data, headers=headers).status_code

    conditional = "/fhir/Patient?identifier=urn:h|1"
    for url in (URL, conditional):
        assert [412, 412] == [send(method, 'W/"1"', url) for method in ("PATCH", "DELETE")]
    assert 'W/"2"' == client.get(URL).headers["ETag"]
    assert 200 == send("PATCH", "*")
    assert 412 == send("DELETE", 'W/"2"', conditional)
    assert 204 == send("DELETE", 'W/"3"', conditional)


def test_conditions_of_a_conditional_update_are_those_of_what_it_finds(client: FlaskClient) -> None:
    """The tag is compared with the match, and with nothing when there is none."""
    found, none = "/fhir/Patient?identifier=urn:h|1", "/fhir/Patient?identifier=urn:h|9"
    assert 412 == client.put(found, json=PATIENT, headers={"If-Match": 'W/"1"'}).status_code
    assert 412 == client.put(found, json=PATIENT, headers=NEW).status_code
    assert 200 == client.put(found, json=PATIENT, headers={"If-Match": 'W/"2"'}).status_code
    fresh = PATIENT | {"id": "zhao"}
    assert 412 == client.put(none, json=fresh, headers={"If-Match": 'W/"1"'}).status_code
    assert 201 == client.put(none, json=fresh, headers=NEW).status_code


def test_a_version_that_the_client_has_is_not_sent_again(client: FlaskClient) -> None:
    """304 for read and version read, by tag and by list of tags."""
    for url, tag in ((URL, 'W/"2"'), (URL, 'W/"7", W/"2"'), (f"{URL}/_history/1", 'W/"1"')):
        kept = client.get(url, headers={"If-None-Match": tag})
        assert (304, b"") == (kept.status_code, kept.data), url
        assert kept.headers["ETag"]


@pytest.mark.parametrize(
    ("condition", "status"),
    [
        ("identifier=urn:h|1", 200),
        ("?identifier=urn:h|1", 200),
        ("Patient?identifier=urn:h|1", 200),
        ("http://localhost/fhir/Patient?identifier=urn%3Ah%7C1", 200),
        ("Observation?identifier=urn:h|1", 400),
        ("identifier=urn:h|9", 201),
    ],
)
def test_if_none_exist_is_a_search_of_the_type(
    client: FlaskClient, condition: str, status: int
) -> None:
    """As a query or as a whole address; a search of another type is a mistake."""
    answer = client.post("/fhir/Patient", json=PATIENT, headers={"If-None-Exist": condition})
    assert status == answer.status_code, answer.text


def test_conditions_hold_for_entries_too(either: World, client: FlaskClient) -> None:
    """In a transaction ifMatch and ifNoneMatch: 412, the entry named, nothing changed."""
    for told, entry in (
        ({"ifNoneMatch": "*"}, ("PUT", "Patient/li", PATIENT)),
        ({"ifMatch": 'W/"1"'}, ("PUT", "Patient/li", PATIENT)),
        ({"ifMatch": "*"}, ("PUT", "Patient/x", PATIENT | {"id": "x"})),
        ({"ifMatch": 'W/"1"'}, ("DELETE", "Patient?identifier=urn:h|1", None)),
    ):
        method, url, resource = entry
        made = {"request": {"method": method, "url": url, **told}}
        listed = [{"request": {"method": "GET", "url": "Patient"}}, made]
        made |= {"resource": resource} if resource else {}  # type: ignore[dict-item]
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": listed}
        refused = client.post("/fhir", json=bundle)
        assert 412 == refused.status_code, refused.text
        assert ["Bundle.entry[1]"] == refused.json["issue"][0]["expression"]
        assert 'W/"2"' == client.get(URL).headers["ETag"]


@pytest.mark.parametrize(
    ("wish", "answered"),
    [("representation", "Patient"), ("OperationOutcome", "OperationOutcome"), ("minimal", "")],
)
def test_what_is_found_is_answered_as_the_client_prefers(
    client: FlaskClient, wish: str, answered: str
) -> None:
    """A conditional create that creates nothing says where the resource is, in each form."""
    headers = {"If-None-Exist": "identifier=urn:h|1", "Prefer": f"return={wish}"}
    found = client.post("/fhir/Patient", json=PATIENT, headers=headers)
    assert (200, 'W/"2"') == (found.status_code, found.headers["ETag"])
    assert "http://localhost/fhir/Patient/li" == found.headers["Location"]
    assert answered == (found.json["resourceType"] if found.data else "")


def test_patches_at_once_are_all_applied(either: World, client: FlaskClient) -> None:
    """Eight clients without If-Match: whoever comes second patches what the first wrote."""
    application = client.application

    def patch(number: int) -> int:
        body = [{"op": "add", "path": "/identifier/-", "value": {"value": f"n{number}"}}]
        answer = application.test_client().patch(
            URL, data=json.dumps(body), content_type=JSON_PATCH
        )
        return int(answer.status_code)

    with ThreadPoolExecutor(8) as pool:
        assert [200] * 8 == list(pool.map(patch, range(8)))
    found = {each["value"] for each in client.get(URL).json["identifier"]}
    assert {"1", *(f"n{number}" for number in range(8))} == found

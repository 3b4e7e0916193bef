"""batch and transaction by the rules of the specification, on both databases.

https://hl7.org/fhir/R4/http.html#trules
"""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import pytest

from tests.api.test_resources import PATIENT, code
from tests.api.world import BASE, World

OBSERVATION: dict[str, Any] = {
    "resourceType": "Observation",
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
}


def entry(
    method: str, url: str, resource: Any = None, full_url: str = "", **told: str
) -> dict[str, Any]:
    """One entry of a Bundle."""
    made: dict[str, Any] = {"request": {"method": method, "url": url, **told}}
    if resource is not None:
        made["resource"] = resource
    if full_url:
        made["fullUrl"] = full_url
    return made


def send(world: World, kind: str, *entries: Any, **headers: str) -> Any:
    """The response to a Bundle of `entries`."""
    bundle = {"resourceType": "Bundle", "type": kind, "entry": list(entries)}
    return world.client().post("/fhir", json=bundle, headers=headers)


def statuses(response: Any) -> list[str]:
    """The status of each answered entry, without its phrase."""
    return [each["response"]["status"][:3] for each in response.json["entry"]]


def test_temporary_addresses_become_real(either: World) -> None:
    """References, uris and narrative links follow; a string that looks alike does not."""
    patient = PATIENT | {"identifier": [{"system": "urn:ietf:rfc:3986", "value": "urn:uuid:1"}]}
    narrative = '<div xmlns="http://www.w3.org/1999/xhtml"><a href="urn:uuid:1">x</a></div>'
    observation = OBSERVATION | {
        "subject": {"reference": "urn:uuid:1"},
        "text": {"status": "generated", "div": narrative},
        "extension": [{"url": "urn:x", "valueUri": "urn:uuid:1"}],
    }
    answer = send(
        either,
        "transaction",
        entry("POST", "Observation", observation, "urn:uuid:2"),
        entry("POST", "Patient", patient, "urn:uuid:1"),
        Prefer="return=representation",
    )
    assert ["201", "201"] == statuses(answer)
    seen, made = (each["resource"] for each in answer.json["entry"])
    target = f"Patient/{made['id']}"
    assert target == seen["subject"]["reference"] == seen["extension"][0]["valueUri"]
    assert f'href="{target}"' in seen["text"]["div"]
    assert "urn:uuid:1" == made["identifier"][0]["value"]


def test_relative_references_are_read_against_the_full_url(either: World) -> None:
    """A resource of another server refers to its neighbour by a relative reference."""
    other = "http://other.example/fhir"
    answer = send(
        either,
        "transaction",
        entry("POST", "Patient", PATIENT, f"{other}/Patient/77"),
        entry(
            "POST",
            "Observation",
            OBSERVATION | {"subject": {"reference": "Patient/77"}},
            f"{other}/Observation/1",
        ),
        Prefer="return=representation",
    )
    patient, observation = (each["resource"] for each in answer.json["entry"])
    assert f"Patient/{patient['id']}" == observation["subject"]["reference"]


def test_the_order_is_delete_create_update_read(either: World) -> None:
    """Whatever the order of the entries, a read sees the writes and the answers keep the order."""
    send(either, "transaction", entry("PUT", "Patient/li", PATIENT))
    answer = send(
        either,
        "transaction",
        entry("GET", "Patient?identifier=urn:h|1"),
        entry("PUT", "Patient/wang", PATIENT | {"id": "wang"}),
        entry("POST", "Patient", PATIENT),
        entry("DELETE", "Patient/li"),
    )
    assert ["200", "201", "201", "204"] == statuses(answer)
    found = answer.json["entry"][0]["resource"]["entry"]
    assert 2 == len(found)
    assert "li" not in {each["resource"]["id"] for each in found}


def test_a_transaction_is_whole_or_absent(either: World) -> None:
    """One bad entry undoes everything and is named."""
    answer = send(
        either,
        "transaction",
        entry("PUT", "Patient/li", PATIENT),
        entry("PUT", "Patient/wang", PATIENT | {"id": "wang", "gender": "m"}),
    )
    assert 422 == answer.status_code
    assert "Bundle.entry[1].resource.gender" == answer.json["issue"][0]["expression"][0]
    assert 404 == either.client().get("/fhir/Patient/li").status_code


def test_conditional_references_find_what_the_transaction_writes(either: World) -> None:
    """The target may be there before or come with the Bundle; otherwise all fails (412)."""
    reference = OBSERVATION | {"subject": {"reference": "Patient?identifier=urn:h|1"}}
    alone = send(either, "transaction", entry("POST", "Observation", reference))
    assert (412, "FB-4018") == (alone.status_code, code(alone))
    both = send(
        either,
        "transaction",
        entry("POST", "Observation", reference),
        entry("PUT", "Patient/li", PATIENT),
        Prefer="return=representation",
    )
    assert "Patient/li" == both.json["entry"][0]["resource"]["subject"]["reference"]
    send(either, "transaction", entry("PUT", "Patient/wang", PATIENT | {"id": "wang"}))
    assert 412 == send(either, "transaction", entry("POST", "Observation", reference)).status_code


def test_conditional_entries(either: World) -> None:
    """A conditional create that finds one creates nothing, and references follow to it."""
    send(either, "transaction", entry("PUT", "Patient/li", PATIENT))
    answer = send(
        either,
        "transaction",
        entry("POST", "Patient", PATIENT, "urn:uuid:1", ifNoneExist="identifier=urn:h|1"),
        entry("POST", "Observation", OBSERVATION | {"subject": {"reference": "urn:uuid:1"}}),
        entry("DELETE", "Patient?identifier=urn:h|none"),
        Prefer="return=representation",
    )
    assert ["200", "201", "204"] == statuses(answer)
    assert "Patient/li" == answer.json["entry"][1]["resource"]["subject"]["reference"]


def test_a_resource_is_changed_only_once(either: World) -> None:
    """Two entries with one target are refused, also when a condition leads there."""
    send(either, "transaction", entry("PUT", "Patient/li", PATIENT))
    answer = send(
        either,
        "transaction",
        entry("PUT", "Patient/li", PATIENT),
        entry("DELETE", "Patient?identifier=urn:h|1"),
    )
    assert (400, "FB-4017") == (answer.status_code, code(answer))


def test_references_must_lead_somewhere(either: World) -> None:
    """On by default inside a transaction; a setting turns it off."""
    dangling = entry(
        "POST", "Observation", OBSERVATION | {"subject": {"reference": "Patient/none"}}
    )
    answer = send(either, "transaction", dangling)
    assert (422, "FB-4019") == (answer.status_code, code(answer))
    either.settings = replace(either.settings, referential_integrity=False)
    assert 200 == send(either, "transaction", dangling).status_code


def test_what_is_referred_to_is_not_deleted(either: World) -> None:
    """Unless what refers to it goes as well."""
    subject = {"subject": {"reference": "Patient/li"}}
    send(
        either,
        "transaction",
        entry("PUT", "Patient/li", PATIENT),
        entry("PUT", "Observation/o", OBSERVATION | subject | {"id": "o"}),
    )
    alone = send(either, "transaction", entry("DELETE", "Patient/li"))
    assert (409, "FB-4029") == (alone.status_code, code(alone))
    both = send(
        either, "transaction", entry("DELETE", "Patient/li"), entry("DELETE", "Observation/o")
    )
    assert ["204", "204"] == statuses(both)


def test_a_stale_version_fails_the_transaction(either: World) -> None:
    """``ifMatch`` of an entry is honoured."""
    send(either, "transaction", entry("PUT", "Patient/li", PATIENT))
    changed = PATIENT | {"gender": "other"}
    stale = send(either, "transaction", entry("PUT", "Patient/li", changed, ifMatch='W/"4"'))
    assert 412 == stale.status_code
    fresh = send(either, "transaction", entry("PUT", "Patient/li", changed, ifMatch='W/"1"'))
    assert ["200"] == statuses(fresh)


def test_patches_travel_in_a_bundle(either: World) -> None:
    """FHIRPath Patch as Parameters, JSON Patch inside a Binary."""
    send(either, "transaction", entry("PUT", "Patient/li", PATIENT))
    text = json.dumps([{"op": "replace", "path": "/gender", "value": "other"}]).encode()
    binary = {
        "resourceType": "Binary",
        "contentType": "application/json-patch+json",
        "data": base64.b64encode(text).decode(),
    }
    answer = send(
        either,
        "transaction",
        entry("PATCH", "Patient/li", binary),
        Prefer="return=representation",
    )
    assert "other" == answer.json["entry"][0]["resource"]["gender"]


def test_a_batch_answers_each_entry(either: World) -> None:
    """One entry's failure is its own."""
    answer = send(
        either,
        "batch",
        entry("PUT", "Patient/li", PATIENT),
        entry("GET", "Patient/none"),
        entry("GET", f"{BASE}/Patient/li"),
        entry("GET", "Patient/li", ifNoneMatch='W/"1"'),
        {"resource": PATIENT},
        entry("GET", "Patient?nonsense=1"),
        entry("GET", "metadata"),
        entry("POST", "Patient/$validate", PATIENT),
        "no entry",
    )
    assert ["201", "404", "200", "304", "400", "400", "200", "200", "400"] == statuses(answer)
    outcome = answer.json["entry"][1]["response"]["outcome"]
    assert "FB-4001" == outcome["issue"][0]["details"]["coding"][0]["code"]


@pytest.mark.parametrize(
    "body",
    [
        {"resourceType": "Bundle", "type": "collection"},
        {"resourceType": "Bundle"},
        PATIENT,
        {"resourceType": "Bundle", "type": "transaction", "entry": "x"},
        {"resourceType": "Bundle", "type": "transaction", "entry": [{}]},
        {"resourceType": "Bundle", "type": "transaction", "entry": [entry("POST", "Patient")]},
        {"resourceType": "Bundle", "type": "transaction", "entry": [entry("TRACE", "Patient")]},
        {
            "resourceType": "Bundle",
            "type": "transaction",
            "entry": [entry("POST", "Nothing", PATIENT)],
        },
    ],
)
def test_what_is_no_bundle_of_requests_is_refused(world: World, body: Any) -> None:
    """4xx with a code, never a fault."""
    answer = world.client().post("/fhir/", json=body)
    assert 400 <= answer.status_code < 500
    assert code(answer).startswith("FB-40")


def test_a_bundle_has_a_limit(world: World) -> None:
    """More entries than the setting allows get 413."""
    world.settings = replace(world.settings, max_bundle_entries=2)
    answer = send(world, "batch", *[entry("GET", "Patient/li")] * 3)
    assert (413, "FB-4015") == (answer.status_code, code(answer))


def test_a_transaction_repeated_changes_nothing(either: World) -> None:
    """Updates with the same content make no new version."""
    entries = [
        entry("PUT", "Patient/li", PATIENT),
        entry("PUT", "Patient/wang", PATIENT | {"id": "wang"}),
    ]
    first, second = send(either, "transaction", *entries), send(either, "transaction", *entries)
    assert (["201", "201"], ["200", "200"]) == (statuses(first), statuses(second))
    assert 'W/"1"' == second.json["entry"][0]["response"]["etag"]

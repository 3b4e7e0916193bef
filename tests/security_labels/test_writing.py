"""Labels are on whatever is written: by a message, over REST in every way, and by the job."""

import json

import pytest

from fhir_bridge.artifacts import Artifacts
from fhir_bridge.fhir import parse_json
from fhir_bridge.ingest.draft import Draft
from fhir_bridge.security_labels import Labeller, load_label_rules
from fhir_bridge.store import maintenance
from tests.api.world import open_world

ICD = "http://hl7.org/fhir/sid/icd-10"
LABELLER = Labeller(load_label_rules(Artifacts()))
LEVEL = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"


def _condition(code, **more):
    return {
        "resourceType": "Condition",
        "clinicalStatus": {
            "coding": [
                {
                    "system": "http://terminology.hl7.org/CodeSystem/condition-clinical",
                    "code": "active",
                }
            ]
        },
        "code": {"coding": [{"system": ICD, "code": code}]},
        "subject": {"reference": "Patient/p"},
        "recordedDate": "2026-03-01",
        **more,
    }


def _labels(resource):
    return [each["code"] for each in resource.get("meta", {}).get("security", [])]


@pytest.fixture
def world(tmp_path):
    """A record with one adult, whose writes are labelled."""
    made = open_world(f"sqlite:///{tmp_path / 'record.sqlite3'}", labeller=LABELLER)
    with made.store.transaction() as opened:
        opened.put({"resourceType": "Patient", "id": "p", "birthDate": "1990-01-01"})
    yield made
    made.store.close()


def test_every_write_over_rest_is_labelled(world):
    """Created, updated, patched, in a transaction; and the label goes with the diagnosis."""
    client = world.client()
    created = client.post("/fhir/Condition", json=_condition("B20")).json
    place = f"/fhir/Condition/{created['id']}"
    updated = client.put(place, json={**created, **_condition("I10"), "id": created["id"]}).json
    patch = [{"op": "replace", "path": "/code/coding/0/code", "value": "F32.1"}]
    patched = client.patch(place, json=patch, content_type="application/json-patch+json").json
    bundle = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "resource": _condition("A51.0", id="t"),
                "request": {"method": "PUT", "url": "Condition/t"},
            }
        ],
    }
    client.post("/fhir", json=bundle)
    found = client.get("/fhir/Condition?_security=SEX").json["entry"]

    assert [_labels(each) for each in (created, updated, patched)] == [
        ["HIV", "R"],
        [],
        ["PSY", "R"],
    ]
    assert [entry["resource"]["id"] for entry in found] == ["t"]


def test_the_age_of_the_person_is_looked_up(world):
    """An adult's contraception is nobody's secret, a minor's is."""
    with world.store.transaction() as opened:
        opened.put({"resourceType": "Patient", "id": "m", "birthDate": "2011-01-01"})
    client = world.client()
    minor = {"subject": {"reference": "Patient/m"}}
    adult, child = (
        client.post("/fhir/Condition", json=_condition("Z30.0", **more)).json
        for more in ({}, minor)
    )

    assert (_labels(adult), _labels(child)) == ([], ["SEX", "R"])


def test_what_a_message_says_is_labelled_and_is_still_what_was_said(world):
    """The draft of a batch writes labels, and whoever folds statements reads none."""
    with world.store.transaction() as opened:
        draft = Draft(opened, LABELLER)
        draft.put(_condition("B20", id="c"), 1)
        said = draft.present("Condition", "c").resource
        draft.apply()
    with world.store.transaction() as opened:
        again = Draft(opened, LABELLER).present("Condition", "c").resource
    stored = parse_json(world.store.read("Condition", "c").body)

    assert (_labels(said), _labels(again), _labels(stored)) == ([], [], ["HIV", "R"])


def test_the_job_labels_what_is_recorded_and_counts(world):
    """What came before the rules; a sender's own labels stay, ours that are wrong go."""
    stale = {"system": LEVEL, "code": "R", "userSelected": False}
    theirs = {"system": LEVEL, "code": "V"}
    with world.store.transaction() as opened:
        opened.put_many(
            [
                _condition("B20", id="new"),
                _condition("I10", id="wrong", meta={"security": [stale]}),
                _condition("I10", id="theirs", meta={"security": [theirs]}),
            ]
        )
    told = maintenance.relabel(world.store, "Condition", LABELLER, keep=True)
    untouched = [world.store.read("Condition", id_).version for id_ in ("new", "wrong", "theirs")]
    done = maintenance.relabel(world.store, "Condition", LABELLER)
    labels = {
        id_: _labels(json.loads(world.store.read("Condition", id_).body))
        for id_ in ("new", "wrong", "theirs")
    }

    assert told == done == {"looked": 3, "changed": 2, "+HIV": 1, "+R": 1, "-R": 1}
    assert untouched == [1, 1, 1]
    assert labels == {"new": ["HIV", "R"], "wrong": [], "theirs": ["V"]}
    assert maintenance.relabel(world.store, "Condition", LABELLER) == {"looked": 3}

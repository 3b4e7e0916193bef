"""What requests leave in the access log: every one, whose data, and nothing can be taken out again."""

import base64

import pytest

from fhir_bridge.access import Caller
from tests.audit.conftest import DOCTOR

OBSERVATION = {
    "resourceType": "Observation",
    "status": "final",
    "code": {"text": "x"},
    "subject": {"reference": "Patient/q"},
}


def _told(event):
    """(interaction, patients, outcome) of an event."""
    named = [str(each.get("what", {}).get("reference")) for each in event["entity"]]
    patients = [one.removeprefix("Patient/") for one in named if one.startswith("Patient/")]
    return event["subtype"][0]["code"], sorted(set(patients)), event["outcome"]


@pytest.mark.parametrize(
    ("path", "interaction", "patients"),
    [
        ("Patient/p", "read", ["p"]),
        ("Observation/o", "read", ["p"]),
        ("Observation/o?_elements=status", "read", ["p"]),
        ("Observation/o/_history/1", "vread", ["p"]),
        ("Observation/o/_history", "history-instance", ["p"]),
        ("Observation", "search-type", ["p"]),
        ("Observation?_elements=status", "search-type", ["p"]),
        ("Observation?_summary=count&subject=Patient/q", "search-type", ["q"]),
        ("Condition?patient=q", "search-type", ["q"]),
        ("Patient/p/Observation", "search", ["p"]),
        ("Patient/p/$everything", "operation", ["p"]),
        ("Observation/$meta", "operation", []),
        ("Organization", "search-type", []),
    ],
)
def test_an_answer_is_logged_with_whose_data_it_shows(watched, path, interaction, patients):
    """However little of them it shows."""
    assert watched.world.client().get(f"/fhir/{path}").status_code == 200
    [event] = watched.events()

    assert _told(event) == (interaction, patients, "0")


def test_a_page_with_several_patients_is_an_event_for_each(watched):
    """Not one that names them all."""
    watched.world.client().get("/fhir/Patient")

    assert sorted(_told(event)[1] for event in watched.events()) == [["p"], ["q"]]


def test_a_query_is_kept_as_it_was_sent_also_from_a_form(watched):
    """In the event, in base64."""
    client = watched.world.client()
    client.get("/fhir/Patient?name=%E5%BC%A0")
    client.post("/fhir/Patient/_search", data={"name": "张"})
    sent = [base64.b64decode(event["entity"][0]["query"]).decode() for event in watched.events()]

    assert sent == ["GET /fhir/Patient?name=%E5%BC%A0", "POST /fhir/Patient/_search?name=%E5%BC%A0"]


def test_a_cached_read_is_a_read(watched):
    """304: the client looks at what it has."""
    client = watched.world.client()
    etag = client.get("/fhir/Observation/o").headers["ETag"]
    assert client.get("/fhir/Observation/o", headers={"If-None-Match": etag}).status_code == 304

    assert [_told(event) for event in watched.events()] == [("read", ["p"], "0")] * 2


def test_a_refusal_is_logged_with_its_code(watched):
    """Of an address that leads nowhere as well."""
    watched.world.client().get("/fhir/Patient/nobody")
    [event] = watched.events()

    assert _told(event)[::2] == ("read", "4")
    assert event["outcomeDesc"] == "FB-4001"


@pytest.mark.parametrize(
    ("method", "path", "body", "told"),
    [
        ("POST", "Observation", OBSERVATION, [("create", ["q"], "0")]),
        ("PUT", "Observation/n", {**OBSERVATION, "id": "n"}, [("create", ["q"], "0")]),
        ("PUT", "Observation/o", {**OBSERVATION, "id": "o"}, [("update", ["q"], "0")]),
        ("DELETE", "Observation/o", None, [("delete", ["p"], "0")]),
        ("DELETE", "Observation?status=final", None, [("delete", ["p"], "0")]),
        ("PUT", "Patient/p", {"resourceType": "Patient", "id": "p"}, []),
        (
            "POST",
            "",
            {
                "resourceType": "Bundle",
                "type": "transaction",
                "entry": [
                    {"resource": OBSERVATION, "request": {"method": "POST", "url": "Observation"}},
                    {"request": {"method": "DELETE", "url": "Observation/o"}},
                ],
            },
            [("delete", ["p"], "0"), ("create", ["q"], "0"), ("batch", [], "0")],
        ),
        (
            "POST",
            "Observation/o/$meta-add",
            {
                "resourceType": "Parameters",
                "parameter": [{"name": "meta", "valueMeta": {"tag": [{"code": "t"}]}}],
            },
            [("update", ["p"], "0"), ("operation", ["p"], "0")],
        ),
    ],
)
def test_a_change_and_its_event_are_one_transaction(watched, method, path, body, told):
    """The event is there before the keeper comes by; what changes nothing makes none."""
    answer = watched.world.client().open(f"/fhir/{path}", method=method, json=body)
    assert answer.status_code < 300
    at_once = [
        event
        for event in watched.world.store.bodies("AuditEvent")
        if b'"code":"operation"' not in event
    ]
    events = [_told(event) for event in watched.events()]

    assert sorted(each for each in events if each[0] != "batch") == sorted(
        each for each in told if each[0] != "batch"
    )
    assert len(at_once) == len([each for each in told if each[0] not in ("batch", "operation")])


def test_a_change_that_fails_leaves_no_event_of_success(watched):
    """The second entry is refused, so the first did not happen either."""
    refused = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {"resource": OBSERVATION, "request": {"method": "POST", "url": "Observation"}},
            {
                "resource": {"resourceType": "Observation"},
                "request": {"method": "POST", "url": "Observation"},
            },
        ],
    }
    assert watched.world.client().post("/fhir", json=refused).status_code >= 400

    assert [_told(event)[::2] for event in watched.events()] == [("batch", "4")]


def test_the_metadata_are_no_access(watched):
    """Nobody's data are shown."""
    watched.world.client().get("/fhir/metadata")

    assert watched.events() == []


def test_callers_who_are_nobody_do_not_fill_the_log(watched):
    """Sixty refusals a minute are enough to see that somebody tries."""
    watched.world.caller = None
    client = watched.world.client()
    for _ in range(100):
        client.get("/fhir/Patient/x")

    assert 60 <= len(watched.events()) <= 120
    watched.world.caller = DOCTOR
    client.get("/fhir/Patient/p")
    assert _told(watched.events()[-1]) == ("read", ["p"], "0")


def test_breaking_the_glass_is_in_the_record_at_once(watched):
    """The event is there before the answer is sent, no keeper needed."""
    watched.world.caller = Caller(
        account="a1", purpose="BTG", reason="unconscious", roles=DOCTOR.roles
    )
    watched.world.client().get("/fhir/Observation/o")
    [body] = watched.world.store.bodies("AuditEvent")

    assert b"unconscious" in body
    assert b"Patient/p" in body


def test_what_cannot_be_logged_is_not_shown(watched):
    """The answer is 503, and holds nothing of the record."""
    watched.folder.write_text("no folder")
    answer = watched.world.client().get("/fhir/Observation/o")

    assert answer.status_code == 503
    assert b"FB-4206" in answer.data
    assert b"Patient/p" not in answer.data


def test_without_a_log_nothing_is_asked_and_nothing_written(watched):
    """Open access knows nobody."""
    watched.world.access_log = None
    watched.world.client().get("/fhir/Observation/o")

    assert watched.events() == []


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("DELETE", "AuditEvent/{id}", None),
        ("PUT", "AuditEvent/{id}", {"resourceType": "AuditEvent"}),
        ("PATCH", "AuditEvent/{id}", [{"op": "replace", "path": "/outcome", "value": "8"}]),
        ("DELETE", "AuditEvent?_id={id}", None),
        (
            "POST",
            "AuditEvent/{id}/$meta-add",
            {
                "resourceType": "Parameters",
                "parameter": [{"name": "meta", "valueMeta": {"tag": [{"code": "t"}]}}],
            },
        ),
        (
            "POST",
            "",
            {
                "resourceType": "Bundle",
                "type": "transaction",
                "entry": [{"request": {"method": "DELETE", "url": "AuditEvent/{id}"}}],
            },
        ),
    ],
)
@pytest.mark.parametrize("is_open", [False, True])
def test_nobody_changes_or_deletes_an_event(watched, method, path, body, is_open):
    """By no way of the API, and also where access is open."""
    client = watched.world.client()
    client.get("/fhir/Observation/o")
    [event] = watched.events()
    if is_open:
        watched.world.access_log = None
        client = watched.world.client()
    if method == "PUT":
        body = {**event, "outcome": "8"}
    elif method == "POST" and "entry" in body:
        body = {
            **body,
            "entry": [{"request": {"method": "DELETE", "url": f"AuditEvent/{event['id']}"}}],
        }
    media = "application/json-patch+json" if method == "PATCH" else "application/fhir+json"
    answer = client.open(
        f"/fhir/{path.format(id=event['id'])}", method=method, json=body, content_type=media
    )

    assert (answer.status_code, b"FB-4205" in answer.data) == (403, True)
    assert event in watched.events()


def test_an_event_of_another_system_may_be_added(watched):
    """As to any repository of audit records, and that is logged as well."""
    watched.world.client().get("/fhir/Observation/o")
    [event] = watched.events()
    answer = watched.world.client().post("/fhir/AuditEvent", json=event)

    assert answer.status_code == 201
    assert len(watched.events()) == 3


def test_who_looked_is_not_of_the_record_that_is_handed_out(watched):
    """$everything holds events only when it is asked for them."""
    client = watched.world.client()
    client.get("/fhir/Observation/o")
    watched.events()
    plain = client.get("/fhir/Patient/p/$everything").json
    asked = client.get("/fhir/Patient/p/$everything?_type=AuditEvent").json

    assert {entry["resource"]["resourceType"] for entry in plain["entry"]} == {
        "Patient",
        "Observation",
    }
    assert "AuditEvent" in {entry["resource"]["resourceType"] for entry in asked["entry"]}

"""AuditEvents of our own, by IHE's profiles and by what they must tell."""

import base64
from dataclasses import replace

import pytest

from fhir_bridge.audit import Agent, audit_events
from fhir_bridge.conformance import Profiles
from fhir_bridge.fhir import definitions, parse_json
from fhir_bridge.validation import Validator
from tests.audit.building import BASE, DOCTOR, record

QUERY = "GET /fhir/Observation?patient=p"
RESIDENT = Agent(account="a2", role="resident", patient="p", address="192.0.2.8")
SYSTEM = Agent(client="backend", role="system", token="t2", address="192.0.2.9", purpose="HOPERAT")
INTERACTIONS = {
    "read": {},
    "vread": {"version": "2"},
    "create": {"status": 201},
    "update": {},
    "patch": {},
    "delete": {"status": 204},
    "search-type": {"id": "", "query": QUERY},
    "search-system": {"resource_type": "", "id": "", "query": "GET /fhir?_type=Patient"},
    "search-compartment": {"id": "", "query": "GET /fhir/Patient/p/Observation"},
    "history-instance": {},
    "operation": {"query": "GET /fhir/Patient/p/$everything"},
    "batch": {"resource_type": "", "id": ""},
    "login": {"resource_type": "", "id": "", "patients": ()},
    "logout": {"resource_type": "", "id": "", "patients": ()},
    "break-glass": {"resource_type": "Patient", "id": "p"},
    "consent": {"resource_type": "", "id": "", "consent": "c"},
    "disclose": {},
}


@pytest.fixture(scope="module")
def validator():
    """Ours, without IHE's profiles."""
    return Validator(definitions(), Profiles([]))


@pytest.fixture(scope="module")
def by_ihe(shared):
    """Ours, with IHE's profiles."""
    folder = shared / "conformance" / "audit" / "balp" / "profiles"
    return Validator(
        definitions(),
        Profiles([parse_json(path.read_bytes()) for path in sorted(folder.iterdir())]),
    )


def _errors(validator, event):
    return [str(each) for each in validator.check(event) if each.severity in ("fatal", "error")]


@pytest.mark.parametrize("patients", [("p",), ()])
@pytest.mark.parametrize("agent", [DOCTOR, RESIDENT, SYSTEM, Agent()])
@pytest.mark.parametrize("interaction", INTERACTIONS)
def test_every_event_is_valid_by_the_profiles_that_it_claims(by_ihe, interaction, agent, patients):
    """Each interaction, by a doctor in an app, a resident, a system and nobody known."""
    given = {"patients": patients} | INTERACTIONS[interaction]
    for status in (given.get("status", 200), 403, 500):
        for event in audit_events(
            record(interaction, agent=agent, **(given | {"status": status})), BASE, "k"
        ):
            assert _errors(by_ihe, event) == []


@pytest.mark.parametrize(
    ("interaction", "profile"),
    [
        ("read", "PatientRead"),
        ("create", "PatientCreate"),
        ("update", "PatientUpdate"),
        ("delete", "PatientDelete"),
        ("search-type", "PatientQuery"),
        ("consent", "AuthZconsent"),
        ("disclose", "PrivacyDisclosure.Source"),
    ],
)
def test_an_event_says_which_pattern_it_follows(interaction, profile):
    """With a patient, and without; what failed claims no success."""
    form, plain = f"IHE.BasicAudit.{profile}", f"IHE.BasicAudit.{profile.removeprefix('Patient')}"
    given = INTERACTIONS[interaction]
    [event] = audit_events(record(interaction, **given), BASE, "k")
    [without] = audit_events(record(interaction, **(given | {"patients": ()})), BASE, "k")
    [refused] = audit_events(record(interaction, **(given | {"status": 403})), BASE, "k")
    names = [url.rpartition("/")[2] for url in event["meta"]["profile"]]

    assert names == [form, "IHE.BasicAudit.OAUTHaccessTokenUse.Minimal"]
    if profile.startswith("Patient"):
        assert without["meta"]["profile"][0].endswith(f"/{plain}")
        assert not any(form in url for url in refused["meta"]["profile"])
    assert refused["outcome"] == "4"


def test_an_answer_with_several_patients_is_an_event_for_each(validator):
    """Each names one patient only, under an id of its own."""
    shown = record("search-type", id="", query=QUERY, patients=("p", "q", "r"))
    events = list(audit_events(shown, BASE, "file", "7"))
    named = [event["entity"][1]["what"]["reference"] for event in events]

    assert named == ["Patient/p", "Patient/q", "Patient/r"]
    assert len({event["id"] for event in events}) == 3
    assert events == list(audit_events(shown, BASE, "file", "7"))
    assert [_errors(validator, event) for event in events] == [[], [], []]


def test_an_event_tells_who_for_whom_why_and_from_where():
    """Person, role, institution, app, token, purpose, address and request."""
    [event] = audit_events(record(consent="c"), BASE, "k")
    person, institution, token, app, server = event["agent"]

    assert person["who"] == {"reference": "Practitioner/dr"}
    assert person["role"][0]["coding"][0]["code"] == "doctor"
    assert person["purposeOfUse"][0]["coding"][0]["code"] == "TREAT"
    assert institution["who"] == {"reference": "Organization/hospital"}
    assert token["policy"] == ["urn:fhir-bridge:token:t1"]
    assert app["who"]["identifier"]["value"] == "app"
    assert app["network"] == {"address": "192.0.2.7", "type": "2"}
    assert server["network"]["address"] == BASE
    assert "Consent/c" in str(event["entity"])
    assert "r-1" in str(event["entity"])


def test_a_query_is_kept_as_it_was_sent():
    """In base64, with whatever it holds."""
    sent = "GET /fhir/Patient?name=%E5%BC%A0"
    [event] = audit_events(record("search-type", id="", query=sent), BASE, "k")

    assert base64.b64decode(event["entity"][0]["query"]).decode() == sent


def test_the_reason_of_breaking_the_glass_is_in_the_event():
    """Typed by the clinician, read by the resident and the reviewer."""
    agent = replace(DOCTOR, purpose="BTG", reason="unconscious in the ward")
    [event] = audit_events(record(agent=agent), BASE, "k")

    assert event["purposeOfEvent"][0]["text"] == "unconscious in the ward"
    assert event["purposeOfEvent"][0]["coding"][0]["code"] == "BTG"

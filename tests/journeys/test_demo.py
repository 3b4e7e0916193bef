"""The demo, small: three kinds of source, one resident, one command."""

import re
import signal

from fhir_bridge.demo.signing import signed_target

RESIDENTS = 120


def test_the_demo_ends_in_a_record_that_answers(site, tmp_path):
    """One command; then one resident is one Patient with contract, team, referrals and sources."""
    log = tmp_path / "demo.log"
    demo = site.start(
        *("demo", "--residents", RESIDENTS, "--data", site.data, "--language", "en"),
        *("--port", site.port, "--mllp-port", site.mllp_port),
        log=log,
    )
    site.until(lambda: "Serving" in log.read_text(), demo)
    told = log.read_text()
    assert "Load rule" in told
    resident = re.search(r"curl '\S+/fhir/Patient/(\S+)'", told)[1]

    patient = site.get(f"Patient/{resident}")
    systems = {identifier["system"] for identifier in patient["identifier"]}
    assert {"urn:oid:2.16.156.10011.1.3", "urn:oid:2.16.156.10011.1.2"} <= systems
    assert len(systems) >= 3
    contracts = site.get(f"Contract?subject=Patient/{resident}")
    assert contracts["total"] >= 1 or contracts["entry"]
    assert len(site.get("CareTeam")["entry"]) == 3
    assert site.get("Contract?status=executed&_summary=count")["total"] == signed_target(RESIDENTS)
    provenances = site.get(f"Provenance?target=Patient/{resident}&_count=100")["entry"]
    feeds = {p["resource"]["agent"][0]["who"]["identifier"]["value"] for p in provenances}
    assert {feed.split("-")[0] for feed in feeds} >= {"hospital", "public", "contract"}
    assert site.status(f"ServiceRequest?patient={resident}") == 200

    refused = site.get("Patient?nonsense=1")
    assert refused["status"] == 400
    assert refused["resourceType"] == "OperationOutcome"
    assert "birthdate" in str(refused)

    page = site.page("/?lang=en")
    assert "Last issues" in page
    assert site.get("Patient?_summary=count")["total"] >= RESIDENTS
    assert patient["name"][0]["text"] in site.page(f"/console/residents/{resident}")

    demo.send_signal(signal.SIGTERM)
    assert demo.wait(timeout=30) == 0


def test_two_runs_with_one_seed_make_the_same_record(site, tmp_path):
    """Seeded sources: the same people, the same number of everything, whatever came first."""
    found = []
    for number in (1, 2):
        data = tmp_path / f"run{number}"
        demo = site.start(
            *("demo", "--residents", 40, "--exit", "--data", data),
            *("--port", site.port, "--mllp-port", site.mllp_port),
        )
        assert demo.wait(timeout=120) == 0
        found.append(_content(data))
    assert found[0] == found[1]
    assert len(found[0]["people"]) >= 40


def _content(data) -> dict:
    """How many of each type, and the identifiers of each Patient."""
    from fhir_bridge.fhir import definitions, parse_json
    from fhir_bridge.search import Registry
    from fhir_bridge.store import open_store

    store = open_store(f"sqlite:///{data / 'record.sqlite3'}", registry=Registry(definitions()))
    try:
        patients = [parse_json(body) for body in store.bodies("Patient")]
        people = {
            frozenset((one["system"], one["value"]) for one in patient["identifier"])
            for patient in patients
        }
        return {"types": store.counts_by_type(), "people": people}
    finally:
        store.close()

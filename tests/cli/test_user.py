"""fhir-bridge user …: accounts from the command line."""

import json
from pathlib import Path

import pytest

from fhir_bridge.accounts import Accounts
from fhir_bridge.app import build
from fhir_bridge.config import load_settings, site_secret

NUMBER = "11010519491231002X"
SYSTEM = "urn:oid:2.16.156.10011.1.3"


@pytest.fixture
def record(run, tmp_path):
    """A record with one resident whose number is verified, and a doctor with an office."""
    services = build(load_settings({}, data=tmp_path / "var", log_level="ERROR"))
    patient = {
        "resourceType": "Patient", "id": "p1", "birthDate": "1949-12-31", "gender": "female",
        "identifier": [{"system": SYSTEM, "value": NUMBER}],
    }  # fmt: skip
    doctor = {
        "resourceType": "Practitioner", "id": "d1",
        "identifier": [{"system": "urn:staff", "value": "D-17"}],
    }  # fmt: skip
    office = {
        "resourceType": "PractitionerRole", "id": "r1",
        "practitioner": {"reference": "Practitioner/d1"},
        "organization": {"reference": "Organization/o1"},
    }  # fmt: skip
    with services.store.transaction() as transaction:
        for each in (patient, doctor, office):
            transaction.put(each)
    yield services.store
    services.store.close()


def test_an_account_is_made_with_a_link_listed_locked_and_removed(run):
    """An account is made with a link listed locked and removed."""
    made = json.loads(run("user", "add", "Li.Na", "--role", "operator").out)
    assert made["link"].startswith("http://127.0.0.1:8080/sign-in/set-up?link=")
    assert made["is"] == [{"role": "operator", "proof": "said by an operator"}]
    run("user", "add", "wang")
    assert [each["name"] for each in run("user", "list").lines] == ["li.na", "wang"]
    assert json.loads(run("user", "lock", "wang").out)["locked"]
    assert not json.loads(run("user", "unlock", "wang").out)["locked"]
    assert run("user", "remove", "wang").code == 0
    assert run("user", "remove", "wang").code == 1


def test_a_list_of_nobody_is_a_finding(run):
    """A list of nobody is a finding."""
    assert run("user", "list").code == 1


def test_a_resident_gets_a_code_by_a_verified_number_only(run, record, tmp_path):
    """A resident gets a code by a verified number only."""
    (printed,) = run("user", "bind", NUMBER, "--print").lines
    assert printed["for"] == "…002X"
    (written,) = run("user", "bind", NUMBER).lines
    kept = json.loads(Path(written["file"]).read_text(encoding="utf-8"))
    assert kept["code"] != printed["code"]

    settings = load_settings({}, data=tmp_path / "var")
    accounts = Accounts(record.storage, site_secret(settings))
    bound = accounts.codes.use_binding((f"{SYSTEM}|{NUMBER}",), printed["code"])
    assert (bound.role, bound.patient) == ("resident", "p1")

    refused = run("user", "bind", "110105194912310039", "--print")
    assert refused.code == 1
    assert "FB-7304" in refused.err


def test_a_number_that_does_not_agree_with_its_record_binds_nobody(run, record):
    """A number that does not agree with its record binds nobody."""
    child = {
        "resourceType": "Patient", "id": "p2", "birthDate": "2015-01-01",
        "identifier": [{"system": SYSTEM, "value": "110105198001010014"}],
    }  # fmt: skip
    with record.transaction() as transaction:
        transaction.put(child)
    assert "FB-7304" in run("user", "bind", "110105198001010014", "--print").err


def test_staff_is_bound_to_the_offices_it_holds(run, record, tmp_path):
    """Staff is bound to the offices it holds."""
    (printed,) = run("user", "bind", "D-17", "--staff", "--role", "doctor", "--print").lines
    settings = load_settings({}, data=tmp_path / "var")
    accounts = Accounts(record.storage, site_secret(settings))
    bound = accounts.codes.use_binding(("staff|D-17",), printed["code"])
    assert (bound.role, bound.practitioner, bound.organization) == ("doctor", "d1", "o1")


def test_staff_without_an_office_is_bound_to_nothing(run, record):
    """Staff without an office is bound to nothing."""
    doctor = {
        "resourceType": "Practitioner", "id": "d2",
        "identifier": [{"system": "urn:staff", "value": "D-18"}],
    }  # fmt: skip
    with record.transaction() as transaction:
        transaction.put(doctor)
    assert "holds no office" in run("user", "bind", "D-18", "--staff").err

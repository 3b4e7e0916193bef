"""Linking on a real record: who becomes one Patient, who does not."""

import pytest

from fhir_bridge.artifacts import Artifacts
from fhir_bridge.fhir import definitions
from fhir_bridge.identity import Linker, load_rules
from fhir_bridge.search import Registry
from fhir_bridge.store import open_store

NATIONAL = "urn:oid:2.16.156.10011.1.3"
SOURCES = {"his": "hospital", "files": "public-health", "contracts": "contract"}


@pytest.fixture
def store(tmp_path):
    """A fresh SQLite record."""
    opened = open_store(
        f"sqlite:///{tmp_path / 'record.sqlite3'}", registry=Registry(definitions())
    )
    yield opened
    opened.close()


@pytest.fixture
def linked(store):
    """Links a Patient in a transaction of its own."""
    linker = Linker(load_rules(Artifacts()), SOURCES)

    def link(feed, **patient):
        with store.transaction() as transaction:
            return linker.link(transaction, {"resourceType": "Patient"} | patient, feed)

    return link


def woman(*identifiers, name="李梅", born="1949-12-31", **more):
    """What a source says of the person behind the published specimen number."""
    return {
        "identifier": [{"system": system, "value": value} for system, value in identifiers],
        "name": [{"text": name}],
        "birthDate": born,
        "gender": "female",
    } | more


OWN = (NATIONAL, "11010519491231002X")


def test_three_systems_that_share_a_verified_number_make_one_patient(linked):
    """Each adds its own number; the Patient carries all of them once."""
    first = linked("his", **woman(OWN, ("urn:his", "9")))
    second = linked("files", **woman(OWN, ("urn:file", "7")))
    third = linked("contracts", **woman(OWN, ("urn:contract", "5")))

    assert first.patient_id == second.patient_id == third.patient_id
    assert ["verified-identifier"] * 2 == [second.rule, third.rule]
    assert sorted(["11010519491231002X", "9", "7", "5"]) == sorted(
        each["value"] for each in third.patient["identifier"]
    )


def test_a_number_with_a_wrong_check_character_links_nobody(linked):
    """The unverified number alone is kept, and two persons stay two."""
    first = linked("his", **woman((NATIONAL, "110105194912310021"), ("urn:his", "1")))
    second = linked("files", **woman((NATIONAL, "110105194912310022"), ("urn:file", "2")))

    assert first.patient_id != second.patient_id


def test_a_guardians_number_on_a_child_does_not_make_them_one(linked):
    """The number is valid but says another birth date than the record."""
    guardian = linked("his", **woman(OWN, ("urn:his", "1")))
    child = linked("his", **woman(OWN, ("urn:his", "2"), name="李小明", born="2019-05-01"))

    assert guardian.patient_id != child.patient_id


def test_a_local_number_links_with_birth_date_and_name(linked):
    """The same hospital number, birth date and name are one person; blanks do not count."""
    first = linked("his", **woman(("urn:his", "9")))
    second = linked("his", **woman(("urn:his", "9"), name="李 梅"))

    assert first.patient_id == second.patient_id
    assert "local-identifier" == second.rule


def test_a_local_number_with_another_name_stays_apart_and_is_told(linked):
    """Never a number alone: the second record is new, with FB-5104 for a person to look at."""
    first = linked("his", **woman(("urn:his", "9")))
    second = linked("his", **woman(("urn:his", "9"), name="王芳"))
    again = linked("his", **woman(("urn:his", "9"), telecom=[{"value": "555"}]))

    assert first.patient_id != second.patient_id
    assert ["FB-5104"] == [issue.code for issue in second.issues]
    assert first.patient_id == again.patient_id
    assert [{"text": "李梅"}] == again.patient["name"]


def test_a_later_message_replaces_what_its_own_source_said_before(linked):
    """A new telephone replaces the old; what is not said again stays."""
    linked("his", **woman(OWN, ("urn:his", "9"), telecom=[{"value": "1"}], address=[{"city": "A"}]))
    later = linked("his", **woman(OWN, ("urn:his", "9"), telecom=[{"value": "2"}]))

    assert [{"value": "2"}] == later.patient["telecom"]
    assert [{"city": "A"}] == later.patient["address"]


def test_two_patients_become_one_when_the_verified_number_comes_later(linked):
    """The one known by local number alone is replaced by the one with the verified number."""
    local = linked("his", **woman(("urn:his", "9")))
    verified = linked("files", **woman(OWN, ("urn:file", "7")))
    both = linked("his", **woman(OWN, ("urn:his", "9")))

    assert verified.patient_id == both.patient_id != local.patient_id
    assert [local.patient_id] == [each["id"] for each in both.replaced]
    assert both.replaced[0]["active"] is False
    assert f"Patient/{local.patient_id}" == both.patient["link"][0]["other"]["reference"]

    afterwards = linked("files", **woman(OWN, ("urn:file", "7")))
    assert both.patient["link"] == afterwards.patient["link"]


def test_one_local_number_of_two_verified_persons_does_not_join_them(linked):
    """A hospital number given twice: FB-5101, and both stay themselves."""
    first = linked("his", **woman(OWN, ("urn:his", "9")))
    other = linked("his", **woman((NATIONAL, "110105194912310046"), ("urn:his", "9")))

    assert first.patient_id != other.patient_id
    assert ["FB-5101"] == [issue.code for issue in other.issues]

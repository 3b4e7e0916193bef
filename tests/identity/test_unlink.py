"""Links that can be seen and undone, on a real record of either kind."""

import pytest

from fhir_bridge.artifacts import Artifacts
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import parse_json
from fhir_bridge.identity import decisions, load_rules, unlink
from fhir_bridge.identity.personal import PersonalNumbers
from fhir_bridge.store import maintenance
from tests.identity.world import NATIONAL, OWN


def test_the_log_tells_who_was_joined_when_and_why(world):
    """Feed, rule, message, identifiers with masked values; merges follow to the other Patient."""
    local = world.say("his", ("urn:his", "9"))
    patient = world.say("files", OWN, ("urn:file", "7777777"))
    world.say("lab", OWN)
    world.say("his", OWN, ("urn:his", "9"))
    told = decisions(world.store, patient)

    assert [(each.feed, each.rule, each.kind) for each in told] == [
        ("his", "new", "new"),
        ("files", "new", "new"),
        ("lab", "verified-identifier", "joined"),
        ("his", "merge", "joined"),
        ("his", "replaced", "joined"),
    ]
    assert told[1].identifiers == ((NATIONAL, "••••2X"), ("urn:file", "••••77"))
    assert [each.message for each in told] == ["digest-1", "digest-2", "digest-3"] + [
        "digest-4"
    ] * 2
    assert (told[3].other, told[4].patient_id, told[4].other) == (local, local, patient)
    assert "11010519491231002X" not in str(told)
    assert all(each.at.endswith("Z") for each in told)


def test_a_wrong_join_comes_apart_and_stays_apart(world):
    """The record leaves with what its messages made; the next message with the same number too."""
    patient = world.say("files", OWN, ("urn:file", "7"), observation="of-files")
    world.say("his", OWN, ("urn:his", "9"), observation="of-his", telecom=[{"value": "555"}])
    undone = world.undo(patient)

    assert (undone.patient_id, undone.moved, undone.left) == (patient, ["Observation/of-his"], [])
    other = undone.new_patient_id
    assert (world.subject("of-files"), world.subject("of-his")) == (patient, other)
    assert "telecom" not in world.read(f"Patient/{patient}")
    assert {each["value"] for each in world.read(f"Patient/{other}")["identifier"]} == {OWN[1], "9"}
    assert world.read("Provenance/digest-2")["target"][0]["reference"] == f"Patient/{other}"

    assert world.say("his", OWN, ("urn:his", "9"), observation="later") == other
    assert world.last.rule == "separated"
    assert world.say("files", OWN, ("urn:file", "7"), telecom=[{"value": "1"}]) == patient
    assert [each.code for each in maintenance.check(world.store).issues] == ["FB-5026"]
    numbers = PersonalNumbers(load_rules(Artifacts()))
    assert maintenance.check(world.store, numbers=numbers).issues == (), (
        "it was decided that they are two"
    )
    assert [each.kind for each in decisions(world.store, patient)] == ["new", "joined", "split"]
    assert decisions(world.store, other)[-1].other == patient


def test_a_third_source_does_not_join_what_was_taken_apart(world):
    """It names both by the number of one and the local number of the other: FB-5105."""
    patient = world.say("files", OWN, ("urn:file", "7"))
    world.say("his", OWN, ("urn:his", "9"))
    other = world.undo(patient).new_patient_id
    third = world.say("lab", OWN, ("urn:his", "9"))

    assert third == patient
    assert [each.code for each in world.last.issues] == ["FB-5105"]
    assert world.last.replaced == []
    assert world.read(f"Patient/{other}").get("active") is None


def test_the_number_stays_with_those_who_still_say_it(world):
    """The keys that the parted record alone had go with it."""
    patient = world.say("files", OWN, ("urn:file", "7"))
    world.say("his", OWN, ("urn:his", "9"))
    other = world.undo(patient).new_patient_id

    assert world.say("lab", OWN) == patient
    assert world.say("lab", ("urn:his", "9")) == other


def test_a_merge_comes_apart_into_the_two_patients_of_before(world):
    """The old id lives again with its own statements; resources of both find home."""
    local = world.say("his", ("urn:his", "9"), observation="before")
    patient = world.say("files", OWN, ("urn:file", "7"), observation="of-files")
    world.say("his", OWN, ("urn:his", "9"), observation="after")
    assert world.read(f"Patient/{local}")["active"] is False
    undone = world.undo(patient, "merge")

    assert (undone.patient_id, undone.new_patient_id) == (patient, local)
    assert sorted(undone.moved) == ["Observation/after", "Observation/before"]
    assert {world.subject(each) for each in ("before", "after")} == {local}
    assert world.subject("of-files") == patient
    restored = world.read(f"Patient/{local}")
    assert "link" not in restored
    assert restored.get("active") is None
    assert "link" not in world.read(f"Patient/{patient}")
    assert world.say("his", OWN, ("urn:his", "9")) == local
    with pytest.raises(BridgeError) as refused:
        world.undo(patient, "merge")
    assert (refused.value.code, "already" in str(refused.value)) == ("FB-5106", True)


def test_what_two_sources_stated_is_left_and_told(world):
    """A resource that the other source stated too is nobody's to move."""
    patient = world.say("files", OWN, ("urn:file", "7"), observation="shared")
    world.say("his", OWN, ("urn:his", "9"), observation="shared")
    undone = world.undo(patient)

    assert (undone.moved, undone.left) == ([], ["Observation/shared"])
    assert world.subject("shared") == patient


def test_two_records_of_one_feed_come_apart_by_the_records_that_messages_name(world):
    """Each Provenance names the source's own record: what each made goes with it."""
    patient = world.say("his", OWN, ("urn:his", "9"), observation="a")
    world.say("his", OWN, ("urn:his", "10"), observation="b")
    undone = world.undo(patient)

    assert (undone.moved, undone.left) == (["Observation/b"], [])
    assert (world.subject("a"), world.subject("b")) == (patient, undone.new_patient_id)
    assert world.say("his", OWN, ("urn:his", "10")) == undone.new_patient_id
    assert world.say("his", OWN, ("urn:his", "9")) == patient


def test_two_records_of_one_feed_that_no_message_names_cannot_be_told_apart(world):
    """As recorded by older releases: FB-5107, and nothing is changed."""
    patient = world.say("his", OWN, ("urn:his", "9"), observation="a")
    world.say("his", OWN, ("urn:his", "10"), observation="b")
    with world.store.transaction() as tx:
        for digest in ("digest-1", "digest-2"):
            stated = parse_json(tx.read("Provenance", digest).body)
            del stated["entity"]
            tx.put(stated)
    before = world.read(f"Patient/{patient}")
    with pytest.raises(BridgeError) as refused:
        world.undo(patient)

    assert refused.value.code == "FB-5107"
    assert world.read(f"Patient/{patient}") == before
    assert [each.kind for each in decisions(world.store, patient)] == ["new", "joined"]


@pytest.mark.parametrize(("number", "reason"), [(1, "joined nothing"), (99, "no such decision")])
def test_only_what_joined_can_be_undone(world, number, reason):
    """FB-5106 says why not."""
    world.say("his", OWN)
    with pytest.raises(BridgeError) as refused:
        unlink(world.store, world.linker.keys, number)
    assert (refused.value.code, reason in str(refused.value)) == ("FB-5106", True)


def test_a_patient_apart_stays_apart_when_the_other_becomes_part_of_a_third(world):
    """The decision goes with the statements."""
    patient = world.say("files", ("urn:file", "7"))
    world.say("his", ("urn:file", "7"), ("urn:his", "9"))
    other = world.undo(patient).new_patient_id
    third = world.say("lab", OWN)
    assert world.say("files", OWN, ("urn:file", "7")) == third
    assert world.read(f"Patient/{patient}")["active"] is False
    assert world.say("lab", OWN, ("urn:his", "9"), ("urn:lab", "3")) == third
    assert "FB-5105" in [each.code for each in world.last.issues]
    assert world.read(f"Patient/{other}").get("active") is None


def test_every_number_of_a_replaced_patient_leads_to_the_survivor(world):
    """Also those that the message which joined them did not name."""
    local = world.say("his", ("urn:his", "9"))
    assert world.say("lab", ("urn:his", "9"), ("urn:lab", "3")) == local
    survivor = world.say("files", OWN)
    assert world.say("his", OWN, ("urn:his", "9")) == survivor
    assert world.say("lab", ("urn:lab", "3")) == survivor
    assert world.read(f"Patient/{local}")["active"] is False

"""Linking on a real record: who becomes one Patient, who does not."""

from fhir_bridge.identity import Saying
from fhir_bridge.identity.keys import number_key
from fhir_bridge.ingest.draft import Draft
from tests.identity.world import HIS, NATIONAL, OTHER, OWN, woman


def test_three_systems_that_share_a_verified_number_make_one_patient(world):
    """Each adds its own number; the Patient carries all of them once."""
    first = world.say("his", OWN, (HIS, "9"))
    second = world.say("files", OWN, ("urn:file", "7"))
    assert world.last.rule == "verified-identifier"
    third = world.say("contracts", OWN, ("urn:contract", "5"))

    assert first == second == third
    assert world.last.rule == "verified-identifier"
    assert set(world.numbers_of(third)) == {OWN[1], "9", "7", "5"}
    assert len(world.patient(third)["identifier"]) == 4


def test_a_number_with_a_wrong_check_character_links_nobody(world):
    """The unverified number alone is kept, and two persons stay two."""
    first = world.say("his", (NATIONAL, "110105194912310021"), (HIS, "1"))
    second = world.say("files", (NATIONAL, "110105194912310021"), ("urn:file", "2"), name="王")

    assert first != second


def test_a_guardians_number_on_a_child_does_not_make_them_one(world):
    """The number is valid but says another birth date than the record."""
    guardian = world.say("his", OWN, (HIS, "1"))
    child = world.say("his", OWN, (HIS, "2"), name="李小明", born="2019-05-01")

    assert guardian != child


def test_a_number_of_no_person_links_only_with_birth_date_and_name(world):
    """Two members of a family share an insurance card; blanks in a name do not count."""
    card = ("urn:oid:2.16.156.10011.1.15", "YB1")
    first = world.say("his", card)
    wife = world.say("his", card, name="王芳", born="1950-01-01")
    again = world.say("contracts", card, name="李 梅")

    assert first == again != wife
    assert world.last.rule == "local-identifier"


def test_a_number_that_is_typed_as_an_account_is_nobodys(world):
    """HL7 table 0203 AN: two persons under one account stay two, without a word."""
    account = ("urn:accounts", "A1", "AN")
    assert world.say("his", account) != world.say("his", account, name="王芳", born="1950-01-01")
    assert world.last.issues == []


def test_two_patients_become_one_when_the_verified_number_comes_later(world):
    """The one known by local number alone is replaced by the one with the verified number."""
    local = world.say("his", (HIS, "9"))
    verified = world.say("files", OWN, ("urn:file", "7"))
    both = world.say("his", OWN, (HIS, "9"))

    assert verified == both != local
    assert [local] == [each["id"] for each in world.last.replaced]
    assert world.patient(local)["active"] is False
    assert f"Patient/{local}" == world.patient(both)["link"][0]["other"]["reference"]

    link = world.patient(both)["link"]
    world.say("files", OWN, ("urn:file", "7"), telecom=[{"system": "phone", "value": "1"}])
    assert link == world.patient(both)["link"]


def test_one_local_number_of_two_verified_persons_does_not_join_them(world):
    """A hospital number given twice: FB-5101, both stay themselves, and it is held."""
    first = world.say("his", OWN, (HIS, "9"))
    other = world.say("his", OTHER, (HIS, "9"))

    assert first != other
    assert ["FB-5101"] == [issue.code for issue in world.last.issues]
    assert [("verified", first, other)] == [
        (each.kind, each.patient_id, each.other_id) for each in world.store.reviews.list()
    ]
    assert world.say("his", OTHER, (HIS, "9"), telecom=[{"value": "1"}]) == other
    assert world.say("his", OWN, (HIS, "9"), telecom=[{"value": "2"}]) == first
    assert world.store.reviews.count() == 1


def test_a_verified_number_leads_to_another_person_than_the_local_number(world):
    """A wrong local number on a person who is known by the verified one: the latter counts."""
    wang = world.say("his", (HIS, "9"), name="王芳", born="1950-01-01")
    li = world.say("files", OWN, ("urn:file", "7"))
    assert world.say("his", OWN, (HIS, "9")) == li

    assert world.patient(wang)["name"] == [{"text": "王芳"}]
    assert "FB-5108" in [issue.code for issue in world.last.issues]
    assert world.store.reviews.count() == 1


def test_deciding_twice_gives_the_same(world):
    """Ids follow from what is said; without a number from the message too."""

    def decided(digest, *said):
        with world.store.transaction() as tx:
            saying = Saying("his", "his", 1, lambda: digest)
            return world.linker.link(Draft(tx), woman(*said), saying).patient_id

    assert decided("d", (HIS, "9")) == decided("e", (HIS, "9"))
    assert decided("d") == decided("d") != decided("e")
    assert world.say("his", (HIS, "9")) == decided("f", (HIS, "9"))


def test_two_persons_without_a_number_stay_two(world):
    """The same thin words in two messages are not one person."""
    assert world.say("his") != world.say("his")


def test_a_new_person_never_gets_the_id_of_another(world):
    """The number moved away with a merge and its old Patient is inactive: its id is taken."""
    first = world.say("his", (HIS, "9"))
    world.say("his", (HIS, "10"), name="王芳", born="1950-01-01")
    world.merge("9", "10")
    with world.store.transaction() as tx:  # as an operator might free the number by hand
        tx.set_identity_keys({number_key((HIS, "9")): ""})
    assert world.say("his", (HIS, "9"), name="赵", born="1960-01-01") != first
    assert world.patient(first)["active"] is False

"""Merges, moves and changes of numbers, on a real record of either kind."""

import pytest

from fhir_bridge.errors import BridgeError
from fhir_bridge.identity import PLACEHOLDER, decisions
from fhir_bridge.store import maintenance
from tests.identity.world import HIS, OTHER, OWN


def links(patient):
    """(type, id) of the links of a Patient."""
    return [
        (each["type"], each["other"]["reference"].removeprefix("Patient/"))
        for each in patient.get("link", ())
    ]


def test_a_merge_joins_by_the_numbers_alone(world):
    """Another name and birth date: the old Patient is inactive and linked, its results follow."""
    survivor = world.say("his", (HIS, "1"), name="吴甲", observation="a")
    old = world.say("his", (HIS, "2"), name="无名氏", born="1900-01-01", observation="b")
    world.merge("2", "1", at=1_767_225_600_000)
    patient = world.patient(survivor)

    assert world.patient(old)["active"] is False
    assert links(world.patient(old)) == [("replaced-by", survivor)]
    assert links(patient) == [("replaces", old)]
    assert world.subject("a") == world.subject("b") == survivor
    assert patient["name"] == [{"text": "吴甲"}]
    assert world.numbers_of(survivor) == {"1": "", "2": "old"}
    (number,) = [each for each in patient["identifier"] if each["value"] == "2"]
    assert number["period"] == {"end": "2026-01-01T00:00:00Z"}
    assert [each.rule for each in decisions(world.store, survivor)][-2:] == ["merge", "replaced"]


def test_a_message_after_the_merge_about_the_old_number_is_the_survivors(world):
    """Result with the number alone, and an update: no third Patient, the name stands."""
    survivor = world.say("his", (HIS, "1"), name="吴甲")
    world.say("his", (HIS, "2"), name="无名氏")
    world.merge("2", "1")

    assert world.number_only("his", (HIS, "2"), observation="o") == survivor == world.subject("o")
    assert world.say("his", (HIS, "2"), name="无名氏", telecom=[{"value": "5"}]) == survivor
    assert world.patient(survivor)["name"] == [{"text": "吴甲"}]
    assert world.patient(survivor).get("active") is None


def test_merges_follow_each_other(world):
    """A into B, B into C: all is C's, whichever number comes."""
    a = world.say("his", (HIS, "1"), name="赵", born="1950-01-01", observation="o")
    b = world.say("his", (HIS, "2"), name="钱", born="1960-01-01")
    c = world.say("his", (HIS, "3"), name="孙", born="1970-01-01")
    world.merge("1", "2")
    world.merge("2", "3")

    assert world.subject("o") == c
    assert {links(world.patient(c))[i] for i in (0, 1)} == {("replaces", a), ("replaces", b)}
    assert world.number_only("his", (HIS, "1")) == world.number_only("his", (HIS, "2")) == c
    assert {value for value, use in world.numbers_of(c).items() if use == "old"} == {"1", "2"}


def test_a_merge_of_a_number_that_nobody_knows_makes_no_third_patient(world):
    """It is remembered: what comes late with the old number is the survivor's."""
    survivor = world.say("his", (HIS, "1"))
    before = world.store.counts_by_type()["Patient"]
    world.merge("2", "1")

    assert world.store.counts_by_type()["Patient"] == before
    assert world.number_only("his", (HIS, "2"), observation="o") == survivor == world.subject("o")
    assert world.numbers_of(survivor)["2"] == "old"


def test_a_merge_into_a_number_that_nobody_knows(world):
    """The survivor is known by the number until it is described."""
    old = world.say("his", (HIS, "2"), observation="o")
    survivor = world.merge("2", "1").patient_id

    assert world.subject("o") == survivor != old
    assert world.say("his", (HIS, "1")) == survivor


def test_merged_with_itself_changes_nothing(world):
    """One number on both sides, and a merge that is sent again."""
    survivor = world.say("his", (HIS, "1"))
    assert world.merge("1", "1") is None
    world.say("his", (HIS, "2"), name="王", born="1950-01-01")
    world.merge("2", "1", at=50_000)
    version = world.patient(survivor)["meta"]["versionId"]
    world.merge("2", "1", at=60_000)

    assert world.patient(survivor)["meta"]["versionId"] == version
    assert links(world.patient(survivor)) != [("replaces", survivor)]
    assert world.numbers_of(survivor)["1"] == ""


def test_a_merge_of_two_verified_persons_is_held(world):
    """Nobody is joined; FB-5101 and a line on the list."""
    one = world.say("his", OWN, (HIS, "1"))
    other = world.say("his", OTHER, (HIS, "2"))
    link = world.merge("2", "1")

    assert [each.code for each in link.issues] == ["FB-5101"]
    assert world.patient(other).get("active") is None
    assert links(world.patient(one)) == []
    assert [("verified", one, other)] == [
        (each.kind, each.patient_id, each.other_id) for each in world.store.reviews.list()
    ]


def test_a_statement_that_says_it_was_replaced_is_a_merge(world):
    """Maps of merges in other standards state the old Patient inactive, with its survivor."""
    survivor = world.say("his", (HIS, "1"))
    old = world.say("his", (HIS, "2"), name="王", born="1950-01-01", observation="o")
    stated = {
        "resourceType": "Patient",
        "identifier": [{"system": HIS, "value": "2"}],
        "active": False,
        "link": [{"type": "replaced-by", "other": {"reference": f"Patient/{survivor}"}}],
    }
    assert world.message("his", stated) == survivor == world.subject("o")
    assert world.patient(old)["active"] is False
    itself = stated | {"identifier": [{"system": HIS, "value": "1"}]}
    assert world.message("his", itself) == survivor
    assert world.patient(survivor).get("active") is None
    assert world.numbers_of(survivor)["1"] == ""


def test_a_number_moves_with_what_was_made_under_it(world):
    """The record, its keys and its results go to the other person, and nothing else."""
    wrong = world.say("his", OWN, (HIS, "1"), observation="a")
    world.say("files", OWN, ("urn:file", "7"), observation="f")
    right = world.say("his", (HIS, "5"), name="王芳", born="1950-01-01")
    world.order(
        "his",
        "move-identifier",
        **{"identifier": (HIS, "1"), "target-patient-identifier": (HIS, "5")},
    )

    assert (world.subject("a"), world.subject("f")) == (right, wrong)
    assert set(world.numbers_of(right)) >= {"1", "5"}
    assert "1" not in world.numbers_of(wrong)
    assert world.patient(right)["name"] == [{"text": "王芳"}]
    assert OWN[1] not in world.numbers_of(right)
    assert world.patient(wrong).get("active") is None
    assert world.number_only("his", (HIS, "1")) == right
    assert world.say("files", OWN, ("urn:file", "7"), telecom=[{"value": "1"}]) == wrong


def test_the_last_number_that_moves_takes_the_patient_along(world):
    """Nothing is left of the other: it is replaced, and nobody stays without a number."""
    old = world.say("his", (HIS, "1"), observation="a")
    person = world.say("his", (HIS, "5"), name="王芳", born="1950-01-01")
    given = {"identifier": (HIS, "1"), "target-patient-identifier": (HIS, "5")}
    world.order("his", "move-identifier", **given)

    assert world.subject("a") == person
    assert world.patient(old)["active"] is False
    assert world.numbers_of(person)["1"] == ""
    assert world.patient(person)["name"] == [{"text": "王芳"}]


def test_a_number_changes_and_the_person_stays(world):
    """One Patient, the old number out of use; both numbers lead to it."""
    person = world.say("his", (HIS, "1"), observation="a")
    given = {"source-patient-identifier": (HIS, "1"), "target-patient-identifier": (HIS, "2")}
    world.order("his", "change-identifier", **given)
    assert world.numbers_of(person) == {"1": "old", "2": ""}

    assert world.say("his", (HIS, "2"), name="李新") == person
    assert world.patient(person)["name"] == [{"text": "李新"}]
    assert world.number_only("his", (HIS, "1")) == person
    assert world.numbers_of(person) == {"1": "old", "2": ""}
    assert world.store.counts_by_type()["Patient"] == 1


def test_a_number_changes_that_nobody_knows(world):
    """The person known by the new number has the old one too, out of use."""
    given = {"source-patient-identifier": (HIS, "1"), "target-patient-identifier": (HIS, "2")}
    person = world.order("his", "change-identifier", **given).patient_id

    assert world.patient(person)["meta"]["tag"] == [PLACEHOLDER]
    assert world.say("his", (HIS, "2")) == person
    assert world.numbers_of(person) == {"1": "old", "2": ""}


def test_two_persons_are_linked_and_unlinked(world):
    """R4 seealso on both; both stay themselves, and the next message leaves the link."""
    one = world.say("his", (HIS, "1"))
    other = world.say("his", (HIS, "2"), name="王", born="1950-01-01")
    given = {"source-patient-identifier": (HIS, "2"), "target-patient-identifier": (HIS, "1")}
    world.order("his", "link", **given)
    world.say("his", (HIS, "1"), telecom=[{"value": "1"}])
    assert links(world.patient(one)) == [("seealso", other)]
    assert links(world.patient(other)) == [("seealso", one)]

    world.order("his", "unlink", **given)
    assert links(world.patient(one)) == links(world.patient(other)) == []


def test_unlinking_two_numbers_of_one_patient_makes_two_again(world):
    """What was made under each goes with it, and they stay apart."""
    one = world.say("his", (HIS, "1"), observation="a")
    two = world.say("his", (HIS, "2"), name="王", born="1950-01-01", observation="b")
    given = {"source-patient-identifier": (HIS, "2"), "target-patient-identifier": (HIS, "1")}
    world.merge("2", "1")
    world.order("his", "unlink", **given)
    parted = world.number_only("his", (HIS, "2"))

    assert parted != one
    assert (world.subject("a"), world.subject("b")) == (one, parted)
    assert world.patient(parted)["name"] == [{"text": "王"}]
    assert world.patient(parted).get("active") is None
    assert parted == two
    assert world.numbers_of(parted)["2"] == ""
    assert "2" not in world.numbers_of(one)
    assert links(world.patient(one)) == []


def test_a_merge_that_an_operator_undoes_puts_the_old_number_in_use_again(world):
    """The two Patients of before, each with its own number."""
    one = world.say("his", (HIS, "1"), observation="a")
    two = world.say("his", (HIS, "2"), name="王", born="1950-01-01", observation="b")
    world.merge("2", "1")
    world.undo(one, "merge")

    assert (world.subject("a"), world.subject("b")) == (one, two)
    assert (world.numbers_of(one), world.numbers_of(two)) == ({"1": ""}, {"2": ""})
    assert world.number_only("his", (HIS, "2")) == two


def test_a_person_is_withdrawn_by_its_source(world):
    """While another source speaks it is that source's; when nobody does it is inactive."""
    person = world.say("his", OWN, (HIS, "1"), telecom=[{"system": "phone", "value": "5"}])
    world.say("files", OWN, ("urn:file", "7"), born="1949-12-31")
    world.order("his", "withdraw", **{"target-patient-identifier": (HIS, "1")})
    patient = world.patient(person)
    assert "telecom" not in patient
    assert patient.get("active") is None
    assert "1" not in world.numbers_of(person)

    world.order("files", "withdraw", **{"target-patient-identifier": ("urn:file", "7")})
    assert world.patient(person)["active"] is False
    assert world.say("files", OWN, ("urn:file", "7")) == person
    assert world.patient(person).get("active") is None


@pytest.mark.parametrize(
    ("operation", "given"),
    [("merge", {"source-patient-identifier": (HIS, "1")}), ("explode", {})],
)
def test_an_operation_that_lacks_a_number_is_refused(world, operation, given):
    """FB-5109 names what is missing."""
    with pytest.raises(BridgeError) as refused:
        world.order("his", operation, **given)
    assert refused.value.code == "FB-5109"


def test_the_record_holds_together_after_all_of_it(world):
    """`check` finds nothing."""
    world.say("his", (HIS, "1"), observation="a")
    world.say("his", (HIS, "2"), name="王", born="1950-01-01", observation="b")
    world.merge("2", "1")
    world.number_only("his", (HIS, "2"), observation="b")
    assert maintenance.check(world.store).issues == ()

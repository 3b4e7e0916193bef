"""A known number with other facts: a correction, an overlay, or a message that may not correct."""

from itertools import permutations

import pytest

from fhir_bridge.artifacts import Artifacts
from fhir_bridge.identity import PLACEHOLDER, load_rules
from fhir_bridge.identity.facts import Facts, compare, facts_of
from fhir_bridge.identity.former import joined_former, now_former
from tests.identity.world import HIS, OWN

P9 = (HIS, "9")
RULES = load_rules(Artifacts()).corrections


@pytest.mark.parametrize(
    "changed", [{"name": "李玫"}, {"born": "1949-12-30"}, {"gender": "male"}], ids=str
)
def test_one_corrected_fact_is_taken_from_an_update(world, changed):
    """The number identifies; the Patient shows the corrected fact, and nobody is split."""
    first = world.say("his", P9, event="ADT^A28")
    again = world.say("his", P9, event="ADT^A31", **changed)
    patient = world.patient(first)

    assert first == again
    assert world.last.issues == []
    assert world.store.reviews.count() == 0
    shown = (patient["name"][0]["text"], patient["birthDate"], patient["gender"])
    expected = {"name": "李梅", "born": "1949-12-31", "gender": "female"} | changed
    assert list(shown) == list(expected.values())
    assert len(patient["name"]) == 1


def test_a_result_may_not_correct(world):
    """It is attached by its number; what it says differently is told and not taken."""
    first = world.say("his", P9)
    again = world.say("his", P9, name="李玫", event="ORU^R01", observation="o")

    assert first == again == world.subject("o")
    assert world.patient(first)["name"] == [{"text": "李梅"}]
    assert [("FB-5104", "name")] == [(i.code, i.details["elements"]) for i in world.last.issues]


def test_a_correction_that_arrives_late_does_not_undo_a_newer_one(world):
    """Statements of a source are ordered by their event, not by their arrival."""
    first = world.say("his", P9, at=1000)
    world.say("his", P9, name="李新", at=3000)
    assert world.say("his", P9, name="李旧", at=2000) == first
    assert world.patient(first)["name"] == [{"text": "李新"}]


def test_a_message_from_before_two_corrections_is_of_the_corrected_person(world):
    """Each step changed one fact, so its name and birth date of then are no overlay."""
    first = world.say("his", P9, name="李新", at=3000)
    assert world.say("his", P9, name="李新", born="1949-12-30", at=4000) == first
    assert world.say("his", P9, name="李新", born="1949-12-29", at=6000) == first
    assert world.say("his", P9, name="李晨", born="1949-12-30", at=5000) == first
    phone = [{"system": "phone", "value": "5"}]
    assert world.say("his", P9, name="李晨", born="1949-12-28", at=4500, telecom=phone) == first
    assert world.say("his", P9, name="李梅", born="1949-12-28", at=1000) == first
    assert world.say("his", P9, name="李新", born="1949-12-31", at=2000) == first
    patient = world.patient(first)

    assert (patient["name"], patient["birthDate"]) == ([{"text": "李新"}], "1949-12-29")
    assert patient["telecom"] == phone
    assert world.store.reviews.count() == 0


def test_what_was_once_stated_makes_nobody_else_the_same(world):
    """A sex that agreed before, or a name of whom a correction was not taken, is no step between."""
    first = world.say("his", (HIS, "90000001"), gender="male")
    world.say("his", (HIS, "90000001"), gender="female")
    world.say("his", (HIS, "90000001"), name="王芳", event="ORU^R01")
    other = world.say("his", (HIS, "90000001"), name="王芳", born="1960-05-05", gender="male")

    assert other != first
    assert ["FB-5108"] == [issue.code for issue in world.last.issues]


def test_what_is_kept_of_former_facts_is_bounded():
    """However often a name changes, and however long one is."""
    former = ()
    for number in range(100):
        before, now = ({"name": {"name": [{"text": f"N{n}"}]}} for n in (number, number + 1))
        former = now_former(former, before, now, now, RULES)
    long = {"name": {"name": [{"text": "N" * 2_000}]}}

    assert [each.names for each in former] == [frozenset({f"n{n}"}) for n in range(68, 100)]
    assert now_former((), long, {"gender": {"gender": "male"}}, {}, RULES)[0].names == frozenset()
    assert len(joined_former(former, tuple(Facts(born=str(n)) for n in range(32)))) == 32


def test_most_facts_at_once_are_somebody_else(world):
    """An overlay: recorded apart, held with masked numbers, and both go on by themselves."""
    first = world.say("his", (HIS, "90000001"))
    other = world.say("his", (HIS, "90000001"), name="王芳", born="1960-05-05", observation="o")

    assert first != other == world.subject("o")
    assert world.patient(first)["name"] == [{"text": "李梅"}]
    assert ["FB-5108"] == [issue.code for issue in world.last.issues]
    (held,) = world.store.reviews.list()
    assert (held.kind, held.patient_id, held.other_id) == ("overlay", first, other)
    assert held.detail["numbers"] == [[HIS, "••••01"]]
    assert held.detail["elements"] == ["name", "birthDate"]

    said = {"name": "王芳", "born": "1960-05-05", "telecom": [{"system": "phone", "value": "5"}]}
    assert world.say("his", (HIS, "90000001"), **said) == other
    assert world.last.issues == []
    assert world.say("his", (HIS, "90000001"), **said | {"name": "王方"}) == other
    assert world.say("his", (HIS, "90000001"), address=[{"city": "A"}]) == first
    assert world.patient(other)["name"] == [{"text": "王方"}]
    assert len(world.store.reviews.list()) == 1


def test_a_verified_number_in_common_outweighs_a_new_name(world):
    """Name and sex differ, the citizen number does not: the person is the same."""
    first = world.say("his", OWN, P9)
    assert world.say("his", OWN, P9, name="李新名") == first
    assert world.patient(first)["name"] == [{"text": "李新名"}]


def test_a_newborn_gets_its_name(world):
    """What stands for a name contradicts none, even when the birth date is corrected too."""
    first = world.say("his", P9, name="Baby Boy", born="2026-03-01", gender="male")
    again = world.say("his", P9, name="周小宝", born="2026-03-02", gender="male")

    assert first == again
    assert world.patient(first)["name"] == [{"text": "周小宝"}]


def test_a_number_alone_attaches_to_the_known_person(world):
    """A result with PID-3 only; it says nothing of the person and changes nothing."""
    first = world.say("his", OWN, P9)
    before = world.patient(first)

    assert world.number_only("his", P9, observation="o") == first == world.subject("o")
    assert world.patient(first) == before


def test_a_number_that_nobody_knows_makes_a_placeholder_that_is_described_later(world):
    """It says so; the registration completes it, and nobody is doubled."""
    first = world.number_only("his", P9, observation="o")
    assert world.patient(first)["meta"]["tag"] == [PLACEHOLDER]

    assert world.say("his", P9, event="ADT^A28") == first == world.subject("o")
    patient = world.patient(first)
    assert "tag" not in patient["meta"]
    assert patient["name"] == [{"text": "李梅"}]


def test_a_placeholder_becomes_part_of_the_person_known_by_the_verified_number(world):
    """The registration names both numbers; what hangs on the placeholder follows."""
    placeholder = world.number_only("his", P9, observation="o")
    person = world.say("files", OWN, ("urn:file", "7"))

    assert world.say("his", OWN, P9) == person == world.subject("o")
    assert world.patient(placeholder)["active"] is False


def test_a_correction_with_the_verified_number_of_the_same_person_joins(world):
    """A wrong birth date at first; the correction agrees with the health file in everything."""
    wrong = world.say("his", P9, born="1950-12-31")
    person = world.say("files", OWN, ("urn:file", "7"))
    assert world.say("his", OWN, P9, event="ADT^A08") == person
    assert world.patient(wrong)["active"] is False


def test_a_number_of_another_authority_that_is_somebody_elses_is_told(world):
    """A mistyped health file number never joins two persons."""
    wang = world.say("files", ("urn:file", "7"), name="王芳", born="1950-01-01")
    li = world.say("his", P9)

    assert world.say("his", P9, ("urn:file", "7")) == li
    assert ["FB-5110"] == [issue.code for issue in world.last.issues]
    assert [("numbers", wang, li)] == [
        (each.kind, each.patient_id, each.other_id) for each in world.store.reviews.list()
    ]
    assert world.say("files", ("urn:file", "7"), name="王芳", born="1950-01-01") == wang


def test_a_number_of_another_authority_joins_who_agree(world):
    """Name and birth date agree on both sides: one person, and all hangs on one."""
    file = world.say("files", ("urn:file", "7"), observation="f")
    his = world.say("his", P9, observation="h")
    both = world.say("his", P9, ("urn:file", "7"))

    assert both == his
    assert world.subject("f") == world.subject("h") == both
    assert world.patient(file)["active"] is False


def test_the_same_words_again_write_nothing(world):
    """The version of the Patient stays."""
    first = world.say("his", P9)
    version = world.patient(first)["meta"]["versionId"]
    world.say("his", P9)
    assert world.patient(first)["meta"]["versionId"] == version


def test_what_a_client_wrote_stands_over_what_the_sources_say(world):
    """A REST write in between is a statement of its own: the next message leaves it."""
    first = world.say("his", P9, telecom=[{"system": "phone", "value": "1"}])
    patient = world.patient(first) | {"birthDate": "1949-12-01"}
    with world.store.transaction() as tx:
        tx.put(patient)
    world.say("his", P9, telecom=[{"system": "phone", "value": "2"}])
    shown = world.patient(first)

    assert (shown["birthDate"], shown["telecom"][0]["value"]) == ("1949-12-01", "2")
    world.say("his", P9, telecom=[{"system": "phone", "value": "3"}])
    assert world.patient(first)["birthDate"] == "1949-12-01"


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_verified_number_that_comes_late_joins_as_if_it_had_come_in_time(world, order):
    """The register's person is the hospital's by a message from before the name was corrected."""
    messages = [
        lambda: world.say("files", OWN, at=1),
        lambda: world.say("his", P9, OWN, name="李玫", event="ADT^A28", at=2),
        lambda: world.say("his", P9, name="李枚", event="ADT^A31", at=3),
    ]
    for number in order:
        messages[number]()
    his, files = world.say("his", P9, name="李枚", at=4), world.say("files", OWN, at=5)

    assert his == files
    assert world.store.reviews.count() == 0
    assert {each["text"] for each in world.patient(his)["name"]} == {"李梅", "李枚"}


def test_what_was_parted_and_joined_again_says_each_thing_once(world):
    """A source's name of a record is the newest that it said, in whichever Patient it was kept."""
    world.say("his", P9, name="李玫", event="ADT^A28", at=1)
    world.say("files", OWN, at=3)
    world.say("his", P9, OWN, name="李枚", event="ADT^A08", at=4)
    assert world.store.reviews.count() == 1
    his = world.say("his", P9, OWN, name="李玫", event="ADT^A31", at=2)

    assert his == world.say("files", OWN, at=5)
    assert {each["text"] for each in world.patient(his)["name"]} == {"李梅", "李枚"}
    world.say("his", P9, name="李梅", event="ADT^A31", at=6)
    assert {each["text"] for each in world.patient(his)["name"]} == {"李梅"}


def test_a_verified_number_that_comes_with_another_name_is_looked_at(world):
    """It is newer than what is known of the number: that may have been given to somebody else."""
    world.say("files", OWN, at=1)
    first = world.say("his", P9, name="李枚", event="ADT^A28", at=2)
    again = world.say("his", P9, OWN, name="李玫", event="ADT^A31", at=3)

    assert first != again
    assert world.store.reviews.count() == 1


@pytest.mark.parametrize(
    ("one", "two", "changed"),
    [
        (Facts(frozenset(["李梅"]), "1949"), Facts(frozenset(["李梅"]), "1949-12-31"), ()),
        (Facts(frozenset(["smithjohn"])), Facts(frozenset(["johnsmith"])), ()),
        (
            Facts(frozenset(["李梅"]), "1949"),
            Facts(frozenset(["王芳"]), "1950"),
            ("name", "birthDate"),
        ),
        (Facts(), Facts(frozenset(["王芳"]), "1950", "male"), ()),
    ],
)
def test_facts_agree_when_they_do_not_contradict(one, two, changed):
    """A year agrees with its dates, a name with its parts in another order."""
    assert compare(one, two).changed == changed == compare(two, one).changed


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("Baby Boy", False),
        ("Baby Boy of Smith", False),
        ("Smith, Babygirl", False),
        ("王芳之女", False),
        ("无名氏", False),
        ("John Doe", False),
        ("Unknown", False),
        ("李婴宁", True),
        ("Babette Boyer", True),
        ("Doerr, Jane", True),
    ],
)
def test_what_stands_for_a_name_is_no_fact(name, counts):
    """By the patterns that ship; real names that look alike are names."""
    assert bool(facts_of({"name": [{"text": name}]}, RULES).names) is counts


@pytest.mark.parametrize(
    ("feed", "event", "may"),
    [
        ("hospital-his", "ADT^A31", True),
        ("hospital-his", "ORU^R01", False),
        ("public-health-files", "", True),
        ("public-health-hypertension", "", False),
        ("standard-cda", "PRPA_IN201314UV02", True),
        ("hospital-cda", "C0002", False),
    ],
)
def test_which_messages_may_correct_is_data(feed, event, may):
    """By the file that ships."""
    assert RULES.may_correct(feed, event) is may

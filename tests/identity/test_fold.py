"""One Patient from several statements."""

from itertools import permutations

import pytest

from fhir_bridge.artifacts import Artifacts
from fhir_bridge.identity import PLACEHOLDER, Statement
from fhir_bridge.identity import fold as fold_all
from fhir_bridge.identity.statements import made
from fhir_bridge.update import load_update_rules, statement_of

RULES = load_update_rules(Artifacts())


def statement(feed, key, rank, patient, *, record=("", ""), at=0):
    """What a feed says."""
    said = statement_of(feed, at, {"resourceType": "Patient"} | patient, RULES)
    return Statement(feed, key, rank, said, record)


def fold(statements):
    """The folded Patient and its issues."""
    return fold_all("p", statements, RULES)


HEALTH_FILE = statement(
    "files",
    "a.p",
    0,
    {
        "identifier": [
            {"system": "urn:national", "value": "1x"},
            {"system": "urn:file", "value": "7"},
        ],
        "name": [{"text": "张三"}],
        "birthDate": "1950-01-02",
        "gender": "male",
        "extension": [{"url": "urn:x", "valueCode": "a"}],
    },
)
HOSPITAL = statement(
    "his",
    "b.p",
    2,
    {
        "identifier": [
            {"system": "urn:national", "value": "1X"},
            {"system": "urn:his", "value": "9"},
        ],
        "name": [{"text": "张 三"}],
        "birthDate": "1950-02-01",
        "telecom": [{"system": "phone", "value": "555"}],
        "extension": [{"url": "urn:x", "valueCode": "b"}, {"url": "urn:y", "valueCode": "c"}],
    },
)


def test_identifiers_of_all_sources_stand_once_each():
    """The shared number appears once, each local number too; one source says an extension."""
    patient, _ = fold([HEALTH_FILE, HOSPITAL])

    assert sorted(["1x", "7", "9"]) == sorted(each["value"] for each in patient["identifier"])
    assert [{"text": "张三"}] == patient["name"]
    assert [("urn:x", "a"), ("urn:y", "c")] == [
        (each["url"], each["valueCode"]) for each in patient["extension"]
    ]


def test_the_most_trusted_source_wins_and_the_difference_is_told():
    """The lower rank's birth date stands and FB-5102 names both feeds."""
    patient, issues = fold([HOSPITAL, HEALTH_FILE])

    assert "1950-01-02" == patient["birthDate"]
    assert [("FB-5102", "files, his")] == [(i.code, i.details["feeds"]) for i in issues]


def test_the_order_of_arrival_does_not_matter():
    """Every permutation of the statements folds to the same Patient."""
    third = statement("contracts", "c.q", 1, {"gender": "female"})
    folded = [fold(list(order))[0] for order in permutations([HEALTH_FILE, HOSPITAL, third])]

    assert all(each == folded[0] for each in folded)


@pytest.mark.parametrize("order", [1, -1])
def test_a_death_told_by_one_source_is_not_denied_by_another(order):
    """The element that says when wins over the one that says whether; only one may stand."""
    alive = statement("a", "1.p", 0, {"name": [{"text": "x"}], "deceasedBoolean": False})
    told = statement("b", "2.p", 1, {"deceasedBoolean": True})
    dead = statement("c", "3.p", 2, {"deceasedDateTime": "2024"})

    assert fold([alive, told][::order])[0]["deceasedBoolean"] is True
    patient, _ = fold([alive, told, dead][::order])
    assert patient["deceasedDateTime"] == "2024"
    assert "deceasedBoolean" not in patient


def test_a_record_that_was_merged_away_speaks_only_where_nobody_else_does():
    """Its name goes, its telephone stays, its number is out of use."""
    survivor = statement("his", "b.p", 2, {"name": [{"text": "吴甲"}]}, record=("urn:his", "1"))
    gone = statement(
        "his",
        "a.q",
        2,
        {
            "identifier": [{"system": "urn:his", "value": "2"}],
            "name": [{"use": "usual", "text": "无名氏"}],
            "telecom": [{"system": "phone", "value": "5"}],
        },
        record=("urn:his", "2"),
    )
    number = {"use": "old", "system": "urn:his", "value": "2", "period": {"end": "2026"}}
    retired = made("retired p", {"identifier": [number]}, RULES)
    patient, _ = fold([gone, survivor, retired])

    assert patient["name"] == [{"text": "吴甲"}]
    assert patient["telecom"] == [{"system": "phone", "value": "5"}]
    assert patient["identifier"] == [number]


def test_a_person_of_whom_only_a_number_is_known_says_so():
    """Until somebody tells a name; then the tag and the filling are gone."""
    number = statement("his", "b.p", 2, {"identifier": [{"system": "urn:his", "value": "2"}]})
    patient, _ = fold([number])

    assert patient["meta"]["tag"] == [PLACEHOLDER]
    assert patient["gender"] == "unknown"
    assert "text" not in patient["name"][0]
    described, _ = fold([number, statement("lab", "c.p", 2, {"name": [{"text": "吴"}]})])
    assert "meta" not in described
    assert "gender" not in described


def test_a_sex_that_is_not_known_differs_from_none():
    """``unknown`` says nothing, so there is nothing to be told; two known ones are."""
    unknown = statement("his", "b.p", 2, {"gender": "unknown"})
    female = statement("his", "b.p", 2, {"gender": "female"})

    assert [] == fold([HEALTH_FILE, unknown])[1]
    assert ["FB-5102"] == [issue.code for issue in fold([HEALTH_FILE, female])[1]]


@pytest.mark.parametrize(
    ("element", "one", "other", "count"),
    [
        ("identifier", {"system": "s", "value": "1a"}, {"system": "s", "value": "1A"}, 1),
        ("identifier", {"system": "s", "value": "1"}, {"system": "t", "value": "1"}, 2),
        ("identifier", {"type": {"text": "x"}}, {"type": {"text": "x"}}, 1),
        ("identifier", {"type": {"text": "x"}}, {"type": {"text": "y"}}, 2),
        ("telecom", {"system": "phone", "value": "5"}, {"system": "phone", "value": "5"}, 1),
        ("telecom", {"system": "phone", "value": "5"}, {"system": "sms", "value": "5"}, 2),
        ("name", {"text": "张 三"}, {"text": "张三"}, 1),
        ("name", {"text": "张三"}, {"text": "张四"}, 2),
        ("name", {"use": "official", "text": "张三"}, {"use": "old", "text": "张三"}, 2),
        ("name", {"family": "Li", "given": ["A", "B"]}, {"text": "Li AB"}, 1),
        ("name", {"family": "Li", "given": ["A"]}, {"family": "Li", "given": ["B"]}, 2),
        ("name", {"given": ["A"]}, {"family": "A"}, 1),
        ("address", {"text": "x"}, {"text": "x"}, 1),
        ("address", {"text": "x"}, {"text": "y"}, 2),
    ],
)
def test_what_two_sources_say_alike_stands_once(element, one, other, count):
    """A number by system and value without case, a name by its letters, anything else as a whole."""
    first = statement("files", "a.p", 0, {element: [one]})
    second = statement("his", "b.p", 2, {element: [other]})

    found = fold([first, second])[0][element]
    assert one == found[0], "the words of the source that is trusted more"
    assert count == len(found)

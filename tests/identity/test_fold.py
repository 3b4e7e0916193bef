"""One Patient from several statements."""

from itertools import permutations

from fhir_bridge.identity import Statement, fold

HEALTH_FILE = Statement(
    "files",
    "a",
    0,
    {
        "resourceType": "Patient",
        "identifier": [
            {"system": "urn:national", "value": "1x"},
            {"system": "urn:file", "value": "7"},
        ],
        "name": [{"text": "张三"}],
        "birthDate": "1950-01-02",
        "gender": "male",
    },
)
HOSPITAL = Statement(
    "his",
    "b",
    2,
    {
        "resourceType": "Patient",
        "identifier": [
            {"system": "urn:national", "value": "1X"},
            {"system": "urn:his", "value": "9"},
        ],
        "name": [{"text": "张 三"}],
        "birthDate": "1950-02-01",
        "telecom": [{"system": "phone", "value": "555"}],
    },
)


def test_identifiers_of_all_sources_stand_once_each():
    """The shared number appears once, each local number too."""
    patient, _ = fold("p", [HEALTH_FILE, HOSPITAL])

    assert ["1x", "7", "9"] == [each["value"] for each in patient["identifier"]]
    assert [{"text": "张三"}] == patient["name"]


def test_the_most_trusted_source_wins_and_the_difference_is_told():
    """The lower rank's birth date stands and FB-5102 names both feeds."""
    patient, issues = fold("p", [HOSPITAL, HEALTH_FILE])

    assert "1950-01-02" == patient["birthDate"]
    assert [("FB-5102", "files, his")] == [(i.code, i.details["feeds"]) for i in issues]


def test_the_order_of_arrival_does_not_matter():
    """Every permutation of the statements folds to the same Patient."""
    third = Statement("contracts", "c", 1, {"resourceType": "Patient", "gender": "female"})
    folded = [fold("p", list(order))[0] for order in permutations([HEALTH_FILE, HOSPITAL, third])]

    assert all(each == folded[0] for each in folded)


def test_a_death_told_by_one_source_is_not_denied_by_another():
    """The element that says when wins over the one that says whether; only one may stand."""
    alive = Statement("a", "1", 0, {"resourceType": "Patient", "deceasedBoolean": False})
    dead = Statement("b", "2", 1, {"resourceType": "Patient", "deceasedDateTime": "2024"})
    patient, _ = fold("p", [alive, dead])

    assert {"resourceType": "Patient", "id": "p", "deceasedDateTime": "2024"} == patient

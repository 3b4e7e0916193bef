"""Visits known by each of their numbers, moved to another person, merged into one."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_bridge.errors import BridgeError
from tests.ingest.speaking import Record, entry

SYSTEM = {"serial": "urn:serial", "stay": "urn:stay"}


def _numbers(**values: str) -> list[dict[str, str]]:
    return [{"system": SYSTEM[name], "value": value} for name, value in values.items()]


def _person(number: str) -> dict[str, Any]:
    identifier = [{"system": "urn:mrn", "value": number}]
    return entry("Patient", f"urn:uuid:{number}", identifier=identifier, name=[{"text": number}])


def _visit(person: str, identifier: list[dict[str, str]], **content: Any) -> dict[str, Any]:
    subject = {"reference": f"urn:uuid:{person}"}
    return entry("Encounter", "urn:uuid:v", identifier=identifier, subject=subject, **content)


def _result(person: str, number: str) -> dict[str, Any]:
    return entry(
        "Observation",
        identifier=[{"system": "urn:r", "value": number}],
        subject={"reference": f"urn:uuid:{person}"},
        encounter={"reference": "urn:uuid:v"},
        status="final",
    )


def _asked(url: str, **identifiers: dict[str, str]) -> dict[str, Any]:
    parameters = [
        {"name": name.replace("_", "-"), "valueIdentifier": value}
        for name, value in identifiers.items()
    ]
    resource = {"resourceType": "Parameters", "parameter": parameters}
    return {"resource": resource, "request": {"method": "POST", "url": url}}


def _names(record: Record) -> dict[str, str]:
    """Names by the reference of the Patient."""
    return {f"Patient/{each['id']}": each["name"][0]["text"] for each in record.read("Patient")}


def test_a_visit_is_known_by_each_of_its_numbers(record: Record) -> None:
    """Serial and stay together, then either alone: one visit."""
    record.say(_person("A"), _visit("A", _numbers(serial="1", stay="Z"), status="in-progress"))
    record.say(_person("A"), _visit("A", _numbers(stay="Z"), period={"end": "2026"}))
    record.say(_person("A"), _visit("A", _numbers(serial="1"), priority={"text": "x"}))

    (visit,) = record.read("Encounter")
    assert (visit["period"], visit["priority"]) == ({"end": "2026"}, {"text": "x"})


def test_two_stays_with_one_number_and_different_serials_stay_two(record: Record) -> None:
    """The inpatient number comes again a year later."""
    record.say(_person("A"), _visit("A", _numbers(serial="1", stay="Z"), status="finished"))
    record.say(_person("A"), _visit("A", _numbers(serial="2", stay="Z"), status="planned"))
    record.say(_person("A"), _visit("A", _numbers(stay="Z", serial="1"), priority={"text": "x"}))

    states = {each["identifier"][0]["value"]: each["status"] for each in record.read("Encounter")}
    assert states == {"1": "finished", "2": "planned"}


def test_a_visit_moves_with_its_results_and_nothing_else(record: Record) -> None:
    """A45: the visit of B is A's; B stays active and keeps the other visit; later news follow."""
    other = _visit("B", _numbers(serial="9"), status="finished")
    record.say(_person("A"))
    record.say(
        _person("B"), _visit("B", _numbers(serial="1"), status="finished"), _result("B", "r")
    )
    record.say(_person("B"), other)
    moved = _asked(
        "Encounter/$move",
        source_encounter_identifier=_numbers(serial="1")[0],
        target_patient_identifier={"system": "urn:mrn", "value": "A"},
    )
    record.say(_person("A"), moved)
    record.say(_person("A"), _visit("A", _numbers(serial="1"), priority={"text": "x"}))

    names = _names(record)
    owners = {
        each["identifier"][0]["value"]: names[each["subject"]["reference"]]
        for each in [*record.read("Encounter"), *record.read("Observation")]
    }
    assert owners == {"1": "A", "9": "B", "r": "A"}
    assert not any("link" in each for each in record.read("Patient"))


@pytest.mark.parametrize("at", ["2026-01-01", "2026-01-02"], ids=["same moment", "later"])
def test_only_a_move_gives_a_visit_to_another_person(record: Record, at: str) -> None:
    """What is newer than the move and names the person before it is refused (FB-6313)."""
    before = _person("B"), _visit("B", _numbers(serial="1"), status="in-progress")
    record.say(*before, at="2026-01-01")
    record.say(_person("A"), at="2026-01-01")
    moved = _asked(
        "Encounter/$move",
        source_encounter_identifier=_numbers(serial="1")[0],
        target_patient_identifier={"system": "urn:mrn", "value": "A"},
    )
    record.say(_person("A"), moved, at="2026-01-01")
    with pytest.raises(BridgeError, match="FB-6313"):
        record.say(*before, at=at)
    (visit,) = record.read("Encounter")
    assert _names(record)[visit["subject"]["reference"]] == "A"


def test_a_visit_becomes_part_of_another_of_the_same_person(record: Record) -> None:
    """A42: its results and later messages about its number are of the other visit."""
    record.say(
        _person("A"), _visit("A", _numbers(serial="1"), status="finished"), _result("A", "r")
    )
    record.say(_person("A"), _visit("A", _numbers(serial="2"), status="finished"))
    merge = _asked(
        "Encounter/$merge",
        source_encounter_identifier=_numbers(serial="1")[0],
        target_encounter_identifier=_numbers(serial="2")[0],
    )
    record.say(_person("A"), merge)
    record.say(_person("A"), _visit("A", _numbers(serial="1"), priority={"text": "x"}))

    visits = {each["status"]: each for each in record.read("Encounter")}
    assert set(visits) == {"finished", "entered-in-error"}
    assert visits["finished"]["priority"] == {"text": "x"}
    (result,) = record.read("Observation")
    assert result["encounter"] == {"reference": f"Encounter/{visits['finished']['id']}"}


@pytest.mark.parametrize("known", [{"1"}, {"2"}, set()], ids=["old", "new", "neither"])
@pytest.mark.parametrize("order", ["12", "21"])
def test_a_merge_awaits_the_visit_that_nobody_knows_yet(
    record: Record, known: set[str], order: str
) -> None:
    """A42 before one of the two, or both, were described: they are one visit, and it is told."""
    for serial in known:
        record.say(
            _person("A"), _visit("A", _numbers(serial=serial), status="finished"), _result("A", "r")
        )
    merge = _asked(
        "Encounter/$merge",
        source_encounter_identifier=_numbers(serial="1")[0],
        target_encounter_identifier=_numbers(serial="2")[0],
    )
    told = record.say(_person("A"), merge)
    assert [issue.code for issue in told.issues] == ["FB-6314"]
    for serial in order:
        record.say(_person("A"), _visit("A", _numbers(serial=serial), priority={"text": serial}))

    (visit,) = record.read("Encounter")
    assert visit["priority"] == {"text": order[1]}
    assert visit.get("status", "finished") == "finished"
    for result in record.read("Observation"):
        assert result["encounter"] == {"reference": f"Encounter/{visit['id']}"}


def test_visits_of_two_persons_are_not_merged(record: Record) -> None:
    """FB-6316, and both stay as they are; so does a visit that nobody knows (FB-6314)."""
    record.say(_person("A"), _visit("A", _numbers(serial="1"), status="finished"))
    record.say(_person("B"), _visit("B", _numbers(serial="2"), status="finished"))
    merge = _asked(
        "Encounter/$merge",
        source_encounter_identifier=_numbers(serial="1")[0],
        target_encounter_identifier=_numbers(serial="2")[0],
    )
    unknown = _asked("Encounter/$move", source_encounter_identifier=_numbers(serial="7")[0])
    told = record.say(merge, unknown)

    assert [issue.code for issue in told.issues] == ["FB-6316", "FB-6314"]
    assert {each["status"] for each in record.read("Encounter")} == {"finished"}


def test_what_was_said_before_a_move_does_not_undo_it(record: Record) -> None:
    """Messages from before it sent again, and an older move replayed, change nothing."""

    def move(to: str, at: str) -> None:
        record.say(
            _asked(
                "Encounter/$move",
                source_encounter_identifier=_numbers(serial="1")[0],
                target_patient_identifier={"system": "urn:mrn", "value": to},
            ),
            at=at,
        )

    begun, moved, again = (f"2026-01-01T{hour}:00:00Z" for hour in ("10", "12", "14"))
    for person in "ABC":
        record.say(_person(person), at=begun)
    said = _person("B"), _visit("B", _numbers(serial="1"), status="finished"), _result("B", "r")
    record.say(*said, at=begun)
    move("A", moved)
    record.say(*said, at=begun)
    names = _names(record)
    everything = [*record.read("Encounter"), *record.read("Observation")]
    assert {names[each["subject"]["reference"]] for each in everything} == {"A"}

    move("C", again)
    move("A", moved)
    everything = [*record.read("Encounter"), *record.read("Observation")]
    assert {names[each["subject"]["reference"]] for each in everything} == {"C"}


def test_a_visit_that_moves_under_a_new_number_is_known_by_both(record: Record) -> None:
    """A45 with another PV1-19: the statement of the message, and later ones, are of that visit."""
    record.say(_person("A"))
    record.say(_person("B"), _visit("B", _numbers(serial="1"), status="finished"))
    moved = _asked(
        "Encounter/$move",
        source_encounter_identifier=_numbers(serial="1")[0],
        target_encounter_identifier=_numbers(serial="2")[0],
        target_patient_identifier={"system": "urn:mrn", "value": "A"},
    )
    record.say(_person("A"), moved, _visit("A", _numbers(serial="2"), priority={"text": "x"}))
    record.say(_person("A"), _visit("A", _numbers(serial="1"), serviceType={"text": "y"}))

    (visit,) = record.read("Encounter")
    assert (visit["priority"], visit["serviceType"]) == ({"text": "x"}, {"text": "y"})
    assert _names(record)[visit["subject"]["reference"]] == "A"

"""Statements against a real record: descriptions, mentions, clients of REST, containers."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import written_decimal
from fhir_bridge.fhir.marks import NULL
from fhir_bridge.ingest import parse_feed
from fhir_bridge.ingest.exports import take_back_vanished
from tests.ingest.speaking import ADMITTED, DISCHARGED, NUMBER, OTHER, Record, entry, visit


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_mention_changes_nothing_of_a_description(record: Record, order: tuple[int, ...]) -> None:
    """Before, between or after two descriptions: the visit is finished, its type is known."""
    mentioned = {"status": "in-progress", "period": {"start": "2020"}, "type": [{"text": "a"}]}
    steps = [("", "10", ADMITTED), ("", "11", DISCHARGED), ("Mention", "12", mentioned)]
    for number in order:
        kind, hour, content = steps[number]
        record.say(visit(**content), kind=kind, at=f"2026-01-01T{hour}:00:00Z")

    shown = record.one("Encounter")
    assert shown["status"] == "finished"
    assert shown["period"] == {"start": "2026", "end": "2027"}
    assert shown["type"] == [{"text": "a"}]


def test_the_latest_mention_counts_among_mentions(record: Record) -> None:
    """Without a description the visit goes on with each mention and loses nothing."""
    record.say(visit(**ADMITTED), kind="Mention")
    record.say(visit(status="finished"), kind="Mention")

    assert record.one("Encounter") == {
        "resourceType": "Encounter", **NUMBER, **ADMITTED, "status": "finished",
        "id": record.one("Encounter")["id"],
    }  # fmt: skip


def test_an_update_with_empty_fields_keeps_what_is_known_in_one_new_version(record: Record) -> None:
    """The end comes, the start stays; saying it again writes nothing."""
    record.say(visit(**ADMITTED))
    record.say(visit(**DISCHARGED))
    again = record.say(visit(**DISCHARGED))

    (found,) = record.read("Encounter")
    assert (found["period"], found["class"]) == ({"start": "2026", "end": "2027"}, {"code": "IMP"})
    assert found["meta"]["versionId"] == "2"
    assert again.changed == []


def test_of_two_messages_of_one_moment_the_later_one_counts_also_after_a_replay(
    record: Record,
) -> None:
    """Event time, then receipt: the first one worked on again stands where it stood."""
    at = "2026-01-01T10:00:00Z"
    record.say(visit(**ADMITTED, priority={"text": "first"}), at=at)
    record.say(visit(**DISCHARGED), at=at)
    again = record.say(visit(**ADMITTED, priority={"text": "mended"}), at=at, again=1)

    shown = record.one("Encounter")
    assert (shown["status"], shown["priority"]) == ("finished", {"text": "mended"})
    assert len(again.changed) == 1


def test_another_source_neither_replaces_nor_takes_back(record: Record) -> None:
    """Its value shows where the first says nothing, and when the first takes its own back."""
    record.say(visit(**ADMITTED, priority={"text": "first"}))
    record.say(visit(status="unknown", priority={"text": "second"}), feed=OTHER)
    assert record.one("Encounter")["priority"] == {"text": "first"}
    record.say(visit(priority={"text": NULL}), feed=OTHER)
    assert record.one("Encounter")["priority"] == {"text": "first"}
    record.say(visit(priority={"text": "second again"}), feed=OTHER)
    record.say(visit(priority={"text": NULL}))

    shown = record.one("Encounter")
    assert (shown["status"], shown["priority"]) == ("in-progress", {"text": "second again"})


def test_what_a_client_changed_stands_and_the_rest_goes_on(record: Record) -> None:
    """A PUT is read back as it was sent; a later message changes only the other elements."""
    record.say(visit(**ADMITTED))
    with record.store.transaction() as transaction:
        put = record.read("Encounter")[0] | {"status": "cancelled", "class": {"code": "AMB"}}
        transaction.put(put)
    assert record.one("Encounter")["status"] == "cancelled"
    record.say(visit(**DISCHARGED))
    record.say(visit(**DISCHARGED, priority={"text": "x"}))

    shown = record.one("Encounter")
    assert (shown["status"], shown["class"]) == ("cancelled", {"code": "AMB"})
    assert (shown["period"]["end"], shown["priority"]) == ("2027", {"text": "x"})


def test_a_null_number_makes_nothing_and_empties_the_reference_to_it(record: Record) -> None:
    """A doctor taken back: no Practitioner, and the visit loses the doctor it had."""
    attending = {"type": [{"coding": [{"code": "ATND"}]}]}
    doctor = entry("Practitioner", "urn:uuid:d", identifier=[{"system": "urn:d", "value": "7"}])
    nobody = entry("Practitioner", "urn:uuid:d", identifier=[{"system": "urn:d", "value": NULL}])
    treated = visit(
        **ADMITTED, participant=[attending | {"individual": {"reference": "urn:uuid:d"}}]
    )
    record.say(doctor, treated)
    (number,) = (each["id"] for each in record.read("Practitioner"))
    assert record.one("Encounter")["participant"][0]["individual"] == {
        "reference": f"Practitioner/{number}"
    }
    treated = visit(participant=[attending | {"individual": {"reference": "urn:uuid:d"}}])
    record.say(nobody, treated)

    assert len(record.read("Practitioner")) == 1
    assert "participant" not in record.one("Encounter")


def test_the_visit_of_one_person_never_becomes_anothers(record: Record) -> None:
    """FB-6313, and nothing is written."""
    record.say(visit(**ADMITTED, subject={"reference": "Patient/a"}))
    with pytest.raises(BridgeError, match="FB-6313"):
        record.say(visit(**DISCHARGED, subject={"reference": "Patient/b"}))

    assert record.one("Encounter")["status"] == "in-progress"


WHOLE = {
    "identifier": {"system": "urn:doc", "value": "1"},
    "meta": {
        "tag": [{"system": "https://fhir-bridge.org/fhir/CodeSystem/update", "code": "whole"}]
    },
}


def _disease(name: str) -> dict[str, Any]:
    return entry("Condition", code={"text": name}, clinicalStatus={"coding": [{"code": "active"}]})


def _active(record: Record) -> list[str]:
    return [each["code"]["text"] for each in record.read("Condition") if "clinicalStatus" in each]


def test_a_newer_version_lets_go_of_what_it_no_longer_says(record: Record) -> None:
    """Parts without a number are told by their content; an older version changes nothing."""
    record.say(_disease("高血压"), _disease("糖尿病"), at="2026-01-01T00:00:00Z", **WHOLE)
    record.say(_disease("高血压"), _disease("哮喘"), at="2026-01-03T00:00:00Z", **WHOLE)
    assert _active(record) == ["高血压", "哮喘"]
    late = record.say(_disease("胃炎"), at="2026-01-02T00:00:00Z", **WHOLE)

    assert [issue.code for issue in late.issues] == ["FB-6315"]
    assert _active(record) == ["高血压", "哮喘"]
    assert len(record.read("Condition")) == 3
    record.say(_disease("糖尿病"), at="2026-01-04T00:00:00Z", **WHOLE)
    assert _active(record) == ["糖尿病"]


def test_a_version_number_counts_before_the_time(record: Record) -> None:
    """Version 2 stands, although version 1 says a later time."""
    numbered = WHOLE | {"meta": WHOLE["meta"] | {"versionId": "2"}}
    record.say(_disease("a"), at="2026-01-01T00:00:00Z", **numbered)
    numbered = WHOLE | {"meta": WHOLE["meta"] | {"versionId": "1"}}
    record.say(_disease("b"), at="2026-01-02T00:00:00Z", **numbered)

    assert _active(record) == ["a"]


def test_a_group_within_a_message_is_replaced_by_the_next_such_group(record: Record) -> None:
    """Snapshot mode: what an entry names as its whole; a message without any changes nothing."""
    link = [{"relation": "whole", "url": "allergies/1"}]
    record.say(_disease("a") | {"link": link}, _disease("b") | {"link": link})
    record.say(visit(**ADMITTED))
    assert _active(record) == ["a", "b"]
    record.say(_disease("b") | {"link": link})

    assert _active(record) == ["b"]


def test_a_group_of_nulls_alone_takes_the_whole_group_back(record: Record) -> None:
    """``AL1|1|""|""``: the sender deletes all of them (HL7 v2.5.1 section 2.10.4.1)."""
    link = [{"relation": "whole", "url": "allergies/1"}]
    record.say(_disease("a") | {"link": link}, _disease("b") | {"link": link})
    none = entry("Condition", identifier=[{"system": "urn:d", "value": NULL}])
    record.say(none | {"link": link})

    assert _active(record) == []


def test_two_facts_of_one_name_are_two_and_one_fact_said_twice_is_one(record: Record) -> None:
    """FB-6312 for the second; sending all of it again makes no third."""
    facts = [visit(status="finished"), visit(status="planned"), visit(status="finished")]
    resolved = record.say(*facts)
    record.say(*facts)

    assert [issue.code for issue in resolved.issues] == ["FB-6312"]
    assert sorted(each["status"] for each in record.read("Encounter")) == ["finished", "planned"]


def test_what_refers_back_to_nothing_is_told_and_not_made(record: Record) -> None:
    """``ifMatch = *``: the parent of a document that nobody has described."""
    parent = visit(status="cancelled") | {"request": {"ifMatch": "*"}}
    resolved = record.say(parent)
    assert [issue.code for issue in resolved.issues] == ["FB-6314"]
    assert record.read("Encounter") == []
    assert resolved.targets == []
    record.say(visit(**ADMITTED))
    record.say(parent)

    shown = record.one("Encounter")
    assert (shown["status"], shown["class"]) == ("cancelled", {"code": "IMP"})


EXPORT = parse_feed(
    "export",
    'title.en = "E"\nsource = "contract"\nformat = "table"\nmap = "urn:m"\n[table]\nfull_export = true\n',
)


def _team(number: str, **content: Any) -> dict[str, Any]:
    return entry("CareTeam", identifier=[{"system": "urn:t", "value": number}], **content)


def test_a_row_that_vanishes_from_a_full_export_takes_its_statement_back(record: Record) -> None:
    """The team of the missing row was a mistake now; when it comes again it stands again."""

    def file(*numbers: str) -> None:
        for number in numbers:
            record.say(_team(number, status="active"), feed=EXPORT)
        with record.store.transaction() as transaction:
            first = record.messages - len(numbers) + 1
            take_back_vanished(transaction, EXPORT, first, 1_000 * first, record.resolver)

    def states() -> dict[str, str]:
        return {each["identifier"][0]["value"]: each["status"] for each in record.read("CareTeam")}

    file("1", "2")
    file("1")
    assert states() == {"1": "active", "2": "entered-in-error"}
    file("1", "2")
    assert states() == {"1": "active", "2": "active"}


def test_a_value_with_another_precision_is_another_statement(record: Record) -> None:
    """1.1 corrected to 1.10: the text of a decimal is its meaning; 5 said again is 5."""
    number = {"identifier": [{"system": "urn:r", "value": "1"}]}
    for text in ("1.1", "1.10", "1.10"):
        value = {"value": written_decimal(text), "unit": "mmol/L"}
        whole = [{"valueQuantity": {"value": written_decimal("5")}}]
        more = {"component": whole, "status": "final", **number}
        record.say(entry("Observation", valueQuantity=value, **more))

    (found,) = record.read("Observation")
    assert str(found["valueQuantity"]["value"]) == "1.10"
    assert found["meta"]["versionId"] == "2"


def _agreement(number: str, before: str = "") -> dict[str, Any]:
    named = {"identifier": [{"system": "urn:c", "value": number}]}
    after = {"supportingInfo": [{"reference": f"Contract?identifier=urn%3Ac%7C{before}"}]}
    return entry("Contract", **named, **(after if before else {}))


def test_a_reference_to_what_has_not_come_is_logical_until_it_comes(record: Record) -> None:
    """An agreement names the one before it: never a reference that leads nowhere."""
    record.say(_agreement("2", before="1"))
    (later,) = record.read("Contract")
    number = {"system": "urn:c", "value": "1"}
    assert later["supportingInfo"] == [{"type": "Contract", "identifier": number}]

    record.say(_agreement("1"))
    contracts = {each["identifier"][0]["value"]: each for each in record.read("Contract")}
    literal = [{"reference": f"Contract/{contracts['1']['id']}"}]
    assert contracts["2"]["supportingInfo"] == literal
    record.say(_agreement("2", before="1"))
    again = next(c for c in record.read("Contract") if c["identifier"][0]["value"] == "2")
    assert (again["supportingInfo"], again["meta"]["versionId"]) == (literal, "2")


def test_what_comes_in_the_same_message_is_referred_to_at_once(record: Record) -> None:
    """Whichever of the two stands first."""
    record.say(_agreement("2", before="1"), _agreement("1"), _agreement("3", before="2"))

    assert all(
        each["supportingInfo"][0]["reference"].startswith("Contract/")
        for each in record.read("Contract")
        if "supportingInfo" in each
    )


def test_a_statement_heard_again_is_as_new_as_it_was_heard(record: Record) -> None:
    """A name said at ten and again at twelve stands against one of eleven that comes late."""
    number = {"identifier": [{"system": "urn:o", "value": "1"}]}

    def say(name: str, hour: int) -> None:
        at = f"2026-01-01T{hour}:00:00Z"
        record.say(entry("Organization", name=name, **number), at=at)

    say("A", 10)
    say("A", 12)
    say("B", 11)
    assert record.one("Organization")["name"] == "A"
    say("B", 13)
    say("A", 12)
    say("B", 14)
    assert record.one("Organization")["name"] == "B"


def test_what_only_a_late_version_says_is_nowhere_referred_to(record: Record) -> None:
    """The diagnosis of an older document is not recorded, so no visit leads to it."""
    record.say(_disease("高血压"), at="2026-01-03T00:00:00Z", **WHOLE)
    disease = _disease("胃炎") | {"fullUrl": "urn:uuid:c"}
    diagnosis = [{"condition": {"reference": "urn:uuid:c"}}]
    late = record.say(
        disease, visit(**ADMITTED, diagnosis=diagnosis), at="2026-01-02T00:00:00Z", **WHOLE
    )

    assert record.read("Encounter") == []
    assert late.targets == []
    link = [{"relation": "whole", "url": "diagnoses/1"}]
    record.say(_disease("a") | {"link": link}, at="2026-01-03T00:00:00Z")
    late = record.say(
        disease | {"link": link},
        visit(**ADMITTED, diagnosis=diagnosis),
        at="2026-01-02T00:00:00Z",
    )
    assert "diagnosis" not in record.one("Encounter")
    assert len(late.targets) == 1


def test_a_visit_without_a_number_that_is_only_mentioned_is_one_when_sent_again(
    record: Record,
) -> None:
    """An analyser sends results with a place and no visit: the same message twice, one visit."""
    for _ in range(2):
        record.say(entry("Encounter", **ADMITTED), kind="Mention")

    assert len(record.read("Encounter")) == 1


def test_an_institution_of_nulls_alone_is_none(record: Record) -> None:
    """XON ``""``: no Organization, and the reference to it is taken back."""
    at = {"reference": "urn:uuid:o"}
    hospital = entry("Organization", "urn:uuid:o", name="H")
    record.say(hospital, visit(**ADMITTED, serviceProvider=dict(at)))
    assert "serviceProvider" in record.one("Encounter")
    record.say(entry("Organization", "urn:uuid:o", name=NULL), visit(serviceProvider=dict(at)))

    assert len(record.read("Organization")) == 1
    assert "serviceProvider" not in record.one("Encounter")

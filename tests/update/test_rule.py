"""The rule of update: absent, null, present; whose word it is; when it was said."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from fhir_bridge.artifacts import Artifacts
from fhir_bridge.fhir.marks import NULL, USUAL, usual
from fhir_bridge.update import (
    REST,
    SourceStatement,
    client_statement,
    fold,
    load_update_rules,
    merge,
    read_statement,
    resource_of,
    retired,
    slots_of,
    statement_of,
)

RULES = load_update_rules(Artifacts())
PATIENT: dict[str, Any] = {"resourceType": "Patient", "id": "p"}
VISIT: dict[str, Any] = {"resourceType": "Encounter", "id": "e"}


def _say(at: int, resource: dict[str, Any], source: str = "a", **more: Any) -> SourceStatement:
    return statement_of(source, at, resource, RULES, **more)


def _shown(kind: str, *statements: SourceStatement) -> dict[str, Any]:
    shown = fold(kind, "x", statements, RULES)
    return {key: value for key, value in shown.items() if key not in {"resourceType", "id"}}


HOME = {"system": "phone", "use": "home", "value": "1"}
WORK = {"system": "phone", "use": "work", "value": "2"}


def test_taking_apart_and_putting_together_again_changes_nothing() -> None:
    """Companions, choices, parts of periods and lists of kinds come back as they were."""
    patient = PATIENT | {
        "meta": {"profile": ["urn:p"], "source": "urn:s"},
        "extension": [{"url": "urn:a", "valueString": "1"}, {"url": "urn:a", "valueString": "2"}],
        "name": [{"use": "official", "text": "张三"}, {"text": "Zhang"}],
        "telecom": [HOME, WORK],
        "birthDate": "1980",
        "_birthDate": {"id": "b"},
        "deceasedBoolean": True,
    }
    visit = VISIT | {
        "status": "finished",
        "participant": [
            {"type": [{"coding": [{"code": "ATND"}]}]},
            {"individual": {"display": "x"}},
        ],
        "period": {"start": "2026", "end": "2027"},
        "hospitalization": {
            "admitSource": {"text": "急诊"},
            "dischargeDisposition": {"text": "家"},
        },
    }
    for resource in (patient, visit):
        again = resource_of(resource["resourceType"], resource["id"], slots_of(resource, RULES))
        assert again == resource
        assert list(again) == list(resource)


def test_absent_stays_present_replaces_and_the_other_kind_of_an_item_stays() -> None:
    """A new home telephone leaves the one at work, and the birth date that is not said again."""
    known = _say(1, PATIENT | {"telecom": [HOME, WORK], "birthDate": "1980"})
    new = _say(2, PATIENT | {"telecom": [HOME | {"value": "9"}]})

    shown = _shown("Patient", merge(known, new))
    assert shown == {"telecom": [HOME | {"value": "9"}, WORK], "birthDate": "1980"}


def test_an_end_of_a_period_leaves_its_start() -> None:
    """Parts of a period and of a backbone element are stated one by one."""
    known = _say(
        1, VISIT | {"period": {"start": "2026"}, "hospitalization": {"origin": {"id": "1"}}}
    )
    new = _say(
        2, VISIT | {"period": {"end": "2027"}, "hospitalization": {"reAdmission": {"text": "R"}}}
    )

    shown = _shown("Encounter", merge(known, new))
    assert shown["period"] == {"start": "2026", "end": "2027"}
    assert shown["hospitalization"] == {"origin": {"id": "1"}, "reAdmission": {"text": "R"}}


def test_a_null_takes_back_its_own_statement_and_uncovers_the_next() -> None:
    """The telephone of source a goes, that of source b is seen; nothing else is touched."""
    known = _say(1, PATIENT | {"maritalStatus": {"text": "a"}, "gender": "male"})
    null = _say(2, PATIENT | {"maritalStatus": {"coding": [{"code": NULL}], "text": NULL}})
    other = _say(1, PATIENT | {"maritalStatus": {"text": "b"}}, "b")
    merged = merge(known, null)

    assert _shown("Patient", known, other)["maritalStatus"] == {"text": "a"}
    assert _shown("Patient", merged, other) == {"gender": "male", "maritalStatus": {"text": "b"}}
    assert _shown("Patient", merged) == {"gender": "male"}


def test_a_null_of_one_kind_leaves_the_other_kind() -> None:
    """``telecom`` of use home is taken back, that of use work stays."""
    known = _say(1, PATIENT | {"telecom": [HOME, WORK]})
    null = _say(2, PATIENT | {"telecom": [HOME | {"value": NULL}]})

    assert _shown("Patient", merge(known, null)) == {"telecom": [WORK]}


STEPS = [
    _say(
        10,
        VISIT | {"status": "in-progress", "period": {"start": "2026"}, "priority": {"text": "1"}},
    ),
    _say(20, VISIT | {"status": "finished", "period": {"end": "2027"}}),
    _say(30, VISIT | {"priority": {"text": NULL}}),
    _say(40, VISIT | {"status": usual("unknown"), "serviceType": {"text": "内科"}}),
]


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_statements_of_one_source_count_by_their_time_in_whatever_order_they_come(
    order: tuple[int, ...],
) -> None:
    """An older statement that arrives late replaces nothing newer and adds what is not known."""
    said = STEPS[order[0]]
    for number in order[1:]:
        said = merge(said, STEPS[number])
        kept = read_statement("a", said.at, said.slots, said.written_times())
        assert kept == said

    assert _shown("Encounter", said) == {
        "status": "finished",
        "period": {"start": "2026", "end": "2027"},
        "serviceType": {"text": "内科"},
    }


def test_at_the_same_time_the_later_received_counts() -> None:
    """Two statements of one second."""
    one, other = _say(5, VISIT | {"status": "arrived"}), _say(5, VISIT | {"status": "finished"})

    assert _shown("Encounter", merge(one, other)) == {"status": "finished"}
    assert _shown("Encounter", merge(other, one)) == {"status": "arrived"}


def test_what_is_only_usual_fills_and_never_replaces() -> None:
    """A supposed status gives way to any source that states one."""
    supposed = _say(9, VISIT | {"status": usual("unknown")})
    stated = _say(1, VISIT | {"status": "finished"}, "b")

    assert _shown("Encounter", supposed) == {"status": "unknown"}
    assert _shown("Encounter", supposed, stated) == {"status": "finished"}


def _document(date: str, **more: Any) -> dict[str, Any]:
    return {"resourceType": "DocumentReference", "id": "d", "date": date} | more


def test_what_stands_in_for_another_field_never_replaces_it_and_is_seen_when_that_is_null() -> None:
    """The time of activity (supposed) beside that of origination (stated)."""
    stated = _say(10, _document("2026-01-01"))
    supposed = _say(20, _document(usual("2026-02-02")))
    taken_back = _say(30, _document(usual("2026-03-03", instead=True)))
    again = _say(40, _document(usual("2026-04-04")))
    late = _say(15, _document("2026-01-15"))
    newer = _say(50, _document("2026-05-05"))

    def shown(*steps: SourceStatement) -> Any:
        said = steps[0]
        for step in steps[1:]:
            said = merge(said, step)
            assert read_statement("a", said.at, said.slots, said.written_times()) == said
        return _shown("DocumentReference", said)["date"]

    assert shown(stated, supposed) == "2026-01-01"
    assert shown(supposed, again) == "2026-04-04"
    assert shown(stated, supposed, taken_back) == "2026-03-03"
    assert shown(taken_back, stated) == shown(taken_back, late) == "2026-03-03"
    assert (
        shown(stated, taken_back, again) == shown(stated, taken_back, again, late) == "2026-04-04"
    )
    assert shown(taken_back, supposed) == "2026-03-03"
    assert shown(stated, taken_back, again, newer, supposed) == "2026-05-05"


def test_a_null_with_something_supposed_beside_it_uncovers_that() -> None:
    """Two types of one choice, two items of a list, a status with its reason."""
    died = _say(1, PATIENT | {"deceasedDateTime": "2026-01-01"})
    dead = PATIENT | {"deceasedDateTime": NULL, "deceasedBoolean": f"{USUAL}{USUAL}true"}
    assert _shown("Patient", merge(died, _say(2, dead))) == {"deceasedBoolean": True}
    assert _shown("Patient", merge(died, _say(2, PATIENT | {"deceasedBoolean": usual(True)}))) == {
        "deceasedDateTime": "2026-01-01"
    }

    dose = {"resourceType": "MedicationAdministration", "id": "m", "status": "not-done"}
    refused = _say(1, dose | {"statusReason": [{"text": "no"}]})
    null = _say(2, dose | {"statusReason": [{"coding": [{"code": NULL}], "text": NULL}]})
    assert _shown("MedicationAdministration", merge(refused, null)) == {"status": "not-done"}


def test_of_two_suppositions_that_nothing_is_known_is_the_lesser() -> None:
    """A visit that was begun is not of unknown status because a message does not say when."""
    begun = _say(1, VISIT | {"status": usual("in-progress")})
    unknown = _say(2, VISIT | {"status": usual("unknown")})

    assert _shown("Encounter", merge(begun, unknown)) == {"status": "in-progress"}
    assert _shown("Encounter", merge(unknown, begun)) == {"status": "in-progress"}


def test_a_null_of_what_tells_items_apart_means_every_item_of_its_source() -> None:
    """The languages of a person are taken back without being named; those of others stay."""
    chinese, french = ({"language": {"coding": [{"code": code}]}} for code in ("zh", "fr"))
    null = {"language": {"coding": [{"code": NULL}]}, "preferred": True}
    known = _say(1, PATIENT | {"communication": [chinese, french], "gender": "male"})
    other = _say(1, PATIENT | {"communication": [french]}, "b")
    merged = merge(known, _say(2, PATIENT | {"communication": [null]}))

    assert _shown("Patient", merged) == {"gender": "male"}
    assert _shown("Patient", merged, other)["communication"] == [french]


def test_what_is_taken_back_and_stood_in_for_at_once_keeps_its_place_in_the_list() -> None:
    """A null with something supposed beside it, as the first of two orders of a report."""

    def order(number: str) -> dict[str, Any]:
        return {"identifier": {"value": number}}

    filler = {"identifier": {"type": {"coding": [{"code": "FILL"}]}, "value": "7"}}
    report = {"resourceType": "DiagnosticReport", "id": "r", "basedOn": [order("1"), filler]}
    instead = report | {"basedOn": [order(usual("2", instead=True)), filler]}
    shown = _shown("DiagnosticReport", merge(_say(1, report), _say(2, instead)))

    assert [order("2"), filler] == shown["basedOn"]


def test_two_fields_that_fill_one_list_leave_each_other() -> None:
    """The clinical information of the order (OBR-13) and its notes (NTE)."""
    field = {"url": "https://fhir-bridge.org/fhir/StructureDefinition/source-field"}
    clinical = {"extension": [field | {"valueString": "OBR-13"}], "text": "热"}
    order: dict[str, Any] = {"resourceType": "ServiceRequest", "id": "o"}
    known = _say(1, order | {"note": [clinical, {"text": "1"}]})

    note = _shown("ServiceRequest", merge(known, _say(2, order | {"note": [{"text": "2"}]})))
    assert note == {"note": [clinical, {"text": "2"}]}
    null = _say(3, order | {"note": [clinical | {"text": NULL}]})
    assert _shown("ServiceRequest", merge(known, null)) == {"note": [{"text": "1"}]}


def test_a_time_is_the_start_of_a_period_whose_end_stays() -> None:
    """A start said anew leaves the end; an end taken back leaves a time; a period may be open."""
    report: dict[str, Any] = {"resourceType": "DiagnosticReport", "id": "r"}

    def said(at: int, **effective: Any) -> SourceStatement:
        return _say(at, report | effective)

    whole = said(1, effectivePeriod={"start": "2026-01-01", "end": "2026-01-03"})
    start = said(2, effectiveDateTime="2026-01-02")
    no_end = said(3, effectiveDateTime="2026-01-02", effectivePeriod={"end": NULL})
    shown = _shown("DiagnosticReport", merge(whole, start))
    assert shown == {"effectivePeriod": {"start": "2026-01-02", "end": "2026-01-03"}}
    shown = _shown("DiagnosticReport", merge(whole, no_end))
    assert shown == {"effectiveDateTime": "2026-01-02"}

    for effective in (
        {"effectiveDateTime": "2026-01-02", "_effectiveDateTime": {"id": "a"}},
        {"effectivePeriod": {"start": "2026-01-02"}},
        {"effectivePeriod": {"end": "2026-01-02"}},
        {"effectivePeriod": {"extension": [{"url": "urn:x", "valueCode": "unknown"}]}},
    ):
        assert _shown("DiagnosticReport", said(1, **effective)) == effective


def test_a_number_that_is_taken_back_takes_its_unit_with_it() -> None:
    """Unit, currency and code of a value say nothing without it."""
    quantity = {"value": NULL, "unit": "g", "system": "http://unitsofmeasure.org", "code": "g"}
    item: dict[str, Any] = {"resourceType": "ChargeItem", "id": "c", "quantity": {"value": 1}}
    price = {"value": NULL, "currency": "CNY"}
    null = _say(2, item | {"quantity": quantity, "priceOverride": price})

    assert _shown("ChargeItem", merge(_say(1, item), null)) == {}
    low = {"resourceType": "Observation", "id": "o", "valueQuantity": quantity, "status": "final"}
    assert _shown("Observation", _say(1, low)) == {"status": "final"}


def test_lists_of_a_person_are_united_each_thing_once() -> None:
    """Two sources: three numbers, each telephone once, the first source's name first."""
    one = _say(1, PATIENT | {"telecom": [HOME], "name": [{"text": "张三"}], "gender": "male"})
    other = _say(
        2, PATIENT | {"telecom": [HOME, WORK], "name": [{"text": "张 三"}], "gender": "female"}, "b"
    )

    shown = _shown("Patient", one, other)
    assert shown == {"telecom": [HOME, WORK], "name": [{"text": "张三"}], "gender": "male"}


def test_a_corrected_result_takes_its_flag_with_it() -> None:
    """Value, flag and range are one statement: a high flag does not stay on a normal value."""
    observation = {"resourceType": "Observation", "id": "o", "status": "final"}
    high = observation | {"valueString": "9", "interpretation": [{"text": "H"}]}
    normal = observation | {"status": "corrected", "valueQuantity": {"value": 5}}

    shown = _shown("Observation", merge(_say(1, high), _say(2, normal)))
    assert shown == {"status": "corrected", "valueQuantity": {"value": 5}}
    withdrawn = merge(_say(1, high), _say(2, observation | {"status": "entered-in-error"}))
    assert _shown("Observation", withdrawn)["valueString"] == "9"


def test_a_drug_takes_its_components_with_it() -> None:
    """A mixture replaces a plain drug, and a plain drug the mixture; a message of neither keeps it."""
    order: dict[str, Any] = {"resourceType": "MedicationRequest", "id": "o", "status": "active"}
    mixture = {
        "contained": [{"resourceType": "Medication", "id": "mixture"}],
        "medicationReference": {"reference": "#mixture"},
    }
    plain = {"medicationCodeableConcept": {"text": "x"}}
    known = merge(_say(1, order | plain), _say(2, order | mixture))

    shown = _shown("MedicationRequest", merge(known, _say(3, order | {"priority": "stat"})))
    assert shown == mixture | {"status": "active", "priority": "stat"}
    assert _shown("MedicationRequest", merge(known, _say(3, order | plain))) == plain | {
        "status": "active"
    }


def test_a_client_of_the_rest_interface_states_what_it_changed() -> None:
    """Its element stands over later ones of the source; what it left alone goes on changing."""
    before = _say(1, PATIENT | {"gender": "male", "birthDate": "1980", "telecom": [HOME]})
    put = PATIENT | {"gender": "female", "birthDate": "1980"}
    rest = client_statement(slots_of(_shown("Patient", before) | PATIENT, RULES), put, 5, RULES)
    assert rest is not None
    assert rest.source == REST
    assert _shown("Patient", before, rest) == {"gender": "female", "birthDate": "1980"}

    later = merge(
        before, _say(9, PATIENT | {"gender": "male", "birthDate": "1981", "telecom": [WORK]})
    )
    assert _shown("Patient", later, rest) == {
        "gender": "female", "birthDate": "1981", "telecom": [WORK],
    }  # fmt: skip


def test_what_nobody_states_any_more_says_that_it_was_a_mistake() -> None:
    """A diagnosis keeps its code and loses its clinical status (R4, con-5)."""
    condition = {
        "resourceType": "Condition", "id": "c", "code": {"text": "x"},
        "clinicalStatus": {"coding": [{"code": "active"}]}, "subject": {"reference": "Patient/p"},
    }  # fmt: skip
    left = retired(condition, RULES)

    assert "clinicalStatus" not in left
    assert left["code"] == {"text": "x"}
    assert left["verificationStatus"]["coding"][0]["code"] == "entered-in-error"
    assert retired(VISIT | {"status": "finished"}, RULES)["status"] == "entered-in-error"
    assert retired(PATIENT, RULES) == PATIENT


def test_a_supposed_boolean_or_number_is_stored_as_one() -> None:
    """Behind the double mark stands its JSON literal."""
    supposed = PATIENT | {
        "active": f"{USUAL}{USUAL}true",
        "multipleBirthInteger": f"{USUAL}{USUAL}2",
    }

    assert _shown("Patient", _say(1, supposed)) == {"active": True, "multipleBirthInteger": 2}
    stated = PATIENT | {"active": False}
    assert _shown("Patient", _say(1, stated), _say(2, supposed, "b"))["active"] is False


def test_what_r4_requires_cannot_be_taken_back() -> None:
    """A null of a status is as empty: the known one stays."""
    known = _say(1, VISIT | {"status": "finished", "priority": {"text": "x"}})
    null = _say(2, VISIT | {"status": NULL, "priority": {"text": NULL}})

    assert _shown("Encounter", merge(known, null)) == {"status": "finished"}


def test_a_thing_that_two_sources_say_stands_where_the_first_says_it() -> None:
    """The order of trust is kept when a later source repeats a name."""
    first, second, third = (
        _say(1, PATIENT | {"name": [{"text": text}]}, source)
        for source, text in (("a", "周一一"), ("b", "周一五"), ("c", "周一一"))
    )
    assert _shown("Patient", first, second, third)["name"] == [
        {"text": "周一一"},
        {"text": "周一五"},
    ]

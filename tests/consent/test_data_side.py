"""Class, code, time, data, label: which resources a provision speaks of."""

import pytest

from fhir_bridge.consent import residual
from tests.consent.building import ACT, LEVEL, TYPES, consent, decided, label, observation, purpose

LOINC = "http://loinc.org"


def _only(**criteria):
    """Permits nothing but what the criteria say."""
    return decided(consent({"type": "permit", **criteria}))


def _all_but(**criteria):
    """Permits everything but what the criteria say."""
    return decided(consent({"type": "permit", "provision": [{"type": "deny", **criteria}]}))


@pytest.mark.parametrize(
    ("criteria", "resource", "matches"),
    [
        ({"class": [{"system": TYPES, "code": "Observation"}]}, observation(), True),
        ({"class": [{"system": TYPES, "code": "Condition"}]}, observation(), False),
        (
            {"class": [{"system": "urn:ietf:rfc:3986", "code": "urn:p"}]},
            observation() | {"meta": {"profile": ["urn:p"]}},
            True,
        ),
        (
            {"class": [{"system": LOINC, "code": "34133-9"}]},
            {
                "resourceType": "DocumentReference",
                "id": "d",
                "type": {"coding": [{"system": LOINC, "code": "34133-9"}]},
            },
            True,
        ),
        (
            {"class": [{"system": "urn:ietf:bcp:13", "code": "application/pdf"}]},
            {
                "resourceType": "DocumentReference",
                "id": "d",
                "content": [{"attachment": {"contentType": "application/pdf"}}],
            },
            True,
        ),
        (
            {
                "code": [
                    {"coding": [{"system": LOINC, "code": "1"}, {"system": LOINC, "code": "2"}]}
                ]
            },
            observation(code={"coding": [{"system": LOINC, "code": "2"}]}),
            True,
        ),
        (
            {"code": [{"coding": [{"system": LOINC, "code": "2"}]}]},
            observation(valueCodeableConcept={"coding": [{"system": LOINC, "code": "2"}]}),
            False,
        ),
        (
            {"dataPeriod": {"start": "2026-01", "end": "2026-02"}},
            observation(effectiveDateTime="2026-02-28T23:00:00Z"),
            True,
        ),
        ({"dataPeriod": {"start": "2026-01"}}, observation(effectiveDateTime="2025-12-31"), False),
        (
            {"dataPeriod": {"start": "2026-01", "end": "2026-02"}},
            observation(effectivePeriod={"start": "2025-12-01"}),
            True,
        ),
        ({"dataPeriod": {"start": "2026-01"}}, observation(), False),
        (
            {"dataPeriod": {"start": "2026-01"}},
            {
                "resourceType": "Condition",
                "id": "k",
                "recordedDate": "2026-03-01",
                "onsetDateTime": "1990",
            },
            True,
        ),
        (
            {"data": [{"meaning": "instance", "reference": {"reference": "Observation/o"}}]},
            observation(),
            True,
        ),
        (
            {"data": [{"meaning": "instance", "reference": {"reference": "Encounter/e"}}]},
            observation(encounter={"reference": "Encounter/e"}),
            False,
        ),
        (
            {"data": [{"meaning": "related", "reference": {"reference": "Encounter/e"}}]},
            observation(encounter={"reference": "Encounter/e/_history/2"}),
            True,
        ),
        (
            {"data": [{"meaning": "dependents", "reference": {"reference": "Encounter/e"}}]},
            {"resourceType": "Encounter", "id": "e"},
            True,
        ),
        (
            {"data": [{"meaning": "authoredby", "reference": {"reference": "Practitioner/a"}}]},
            {
                "resourceType": "Procedure",
                "id": "r",
                "performer": [{"actor": {"reference": "Practitioner/a"}}],
            },
            True,
        ),
        (
            {"data": [{"meaning": "authoredby", "reference": {"reference": "Patient/p"}}]},
            observation(),
            False,
        ),
        ({"securityLabel": label("PSY")}, observation("PSY", "R"), True),
        ({"securityLabel": label("ETH")}, observation("OPIOIDUD"), True),
        ({"securityLabel": label("ETHUD")}, observation("ETH"), False),
        ({"securityLabel": label("HIV", "SDV")}, observation("SDV"), True),
        ({"securityLabel": label("N")}, observation(), False),
    ],
)
def test_a_condition_holds_by_what_the_resource_says(criteria, resource, matches):
    """And then the permit opens it, and the deny closes it."""
    assert _only(**criteria).of(resource).permitted is matches
    assert _all_but(**criteria).of(resource).permitted is not matches


@pytest.mark.parametrize(
    ("stated", "own", "permitted", "forbidden"),
    [
        ("N", ["N"], True, True),
        ("N", ["L"], True, False),
        ("N", ["R"], False, True),
        ("R", ["N"], True, False),
        ("R", ["V"], False, True),
        ("N", ["N", "R"], False, True),
    ],
)
def test_a_level_permits_what_is_below_and_forbids_what_is_above(stated, own, permitted, forbidden):
    """Confidentiality is ordered, and the highest mark of a resource counts."""
    criteria = {"securityLabel": label(stated)}

    assert _only(**criteria).of(observation(*own)).permitted is permitted
    assert _all_but(**criteria).of(observation(*own)).permitted is not forbidden


def test_all_conditions_of_one_provision_must_hold():
    """One of them alone neither opens nor closes."""
    criteria = {"securityLabel": label("PSY"), "dataPeriod": {"start": "2026"}}
    both = observation("PSY", effectiveDateTime="2026-05-01")

    assert _only(**criteria).of(both).permitted
    assert not _only(**criteria).of(observation("PSY", effectiveDateTime="2025")).permitted
    assert _all_but(**criteria).of(observation("HIV", effectiveDateTime="2026-05-01")).permitted


def test_the_residual_of_a_token_says_the_same_rules():
    """Forbid all, then what is permitted; nothing where nothing is forbidden."""
    labels = [{"system": ACT, "code": "PSY"}, {"system": LEVEL, "code": "N"}]
    decision = _only(securityLabel=labels, dataPeriod={"end": "2025"})

    assert residual(decision) == [
        {"type": "forbid"},
        {"type": "permit", "securityLabel": labels, "dataPeriod": {"end": "2025"}},
    ]
    assert residual(decided(consent({"type": "permit", "purpose": purpose("TREAT")}))) == []

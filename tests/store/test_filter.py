"""``_filter`` finds what its sentence says, on both databases."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fhir_bridge.access import Access
from fhir_bridge.fhir import definitions
from fhir_bridge.search import Registry
from fhir_bridge.store import Store
from tests.store.asking import ids, observation, patient

_CODES = {
    "resourceType": "CodeSystem",
    "url": "urn:codes",
    "content": "complete",
    "concept": [
        {"code": "fruit", "concept": [{"code": "apple"}, {"code": "pear"}]},
        {"code": "stone"},
    ],
}


@pytest.fixture
def filled(opening: Callable[..., Store]) -> Store:
    """Three patients, their doctor, and values of every kind."""
    store = opening(
        Registry(
            definitions(),
            value_set_codes=lambda url: [("urn:codes", "apple")] if url == "urn:set" else None,
            code_systems={"urn:codes": _CODES},
        )
    )
    doctor = {"reference": "Practitioner/doctor"}

    def coded(id_: str, subject: str, code: str, **elements: object) -> dict[str, object]:
        concept = {"coding": [{"system": "urn:codes", "code": code}]}
        return {**observation(id_, subject), "code": concept, **elements}

    with store.transaction() as tx:
        tx.put_many(
            [
                {"resourceType": "Practitioner", "id": "doctor", "name": [{"family": "李"}]},
                patient(
                    "a",
                    name=[{"family": "Müller", "given": ["Ada", "Grace"]}],
                    gender="female",
                    birthDate="1970-05-01",
                    active=True,
                    generalPractitioner=[doctor],
                ),
                patient("b", name=[{"family": "单", "given": ["小明"]}], gender="male"),
                patient("c", birthDate="1980", active=False, generalPractitioner=[doctor]),
                coded("o1", "a", "apple", effectiveDateTime="2024-01-10", valueInteger=1),
                coded(
                    "o2",
                    "b",
                    "fruit",
                    effectivePeriod={"start": "2024-01-01", "end": "2024-01-31"},
                    valueQuantity={
                        "value": 5,
                        "unit": "g",
                        "system": "http://unitsofmeasure.org",
                        "code": "g",
                    },
                ),
                coded("o3", "c", "stone", effectiveDateTime="2024-03"),
                {
                    "resourceType": "ValueSet",
                    "id": "v",
                    "status": "draft",
                    "url": "http://example.org/sets/one",
                },
            ]
        )
    return store


@pytest.mark.parametrize(
    ("resource_type", "text", "expected"),
    [
        ("Patient", "given eq ada", "a"),
        ("Patient", "given eq ad", ""),
        ("Patient", "family eq muller", "a"),
        ("Patient", "name co ull", "a"),
        ("Patient", "name sw MÜL", "a"),
        ("Patient", "name ew ler", "a"),
        ("Patient", "name ew mül", ""),
        ("Patient", "name ew 明", "b"),
        ("Patient", "given eq 明", ""),
        ("Patient", "name sw shan", "b"),
        ("Patient", "gender eq male", "b"),
        ("Patient", "gender ne male", "a"),
        ("Patient", "not (gender eq male)", "a c"),
        ("Patient", "gender pr true", "a b"),
        ("Patient", "gender pr false", "c"),
        ("Patient", "gender eq male or gender eq female", "a b"),
        ("Patient", "given eq grace and birthdate ge 1970", "a"),
        ("Patient", "gender eq male or gender eq female and active eq true", "a"),
        ("Patient", "gender eq male or (gender eq female and active eq true)", "a b"),
        ("Patient", "not (gender eq male or active eq true)", "c"),
        ("Patient", "not not gender eq male", "b"),
        ("Patient", "birthdate lt 1975", "a"),
        ("Patient", "birthdate po 1970-05", "a"),
        ("Patient", "birthdate ne 1970", "c"),
        ("Patient", "general-practitioner re Practitioner/doctor", "a c"),
        ("Patient", "general-practitioner.name eq 李", "a c"),
        ("Patient", "_id eq a or _id eq b", "a b"),
        ("Patient", "_id ne a", "b c"),
        ("Patient", "_lastUpdated gt 2020-01-01", "a b c"),
        ("Patient", "_content co müller", "a"),
        ("Observation", "subject.gender eq male", "o2"),
        ("Observation", "subject:Patient[active eq true].general-practitioner.name sw li", "o1"),
        ("Observation", "subject[active eq false].general-practitioner[name eq 李]._id eq doctor", "o3"),
        ("Observation", "not (subject.active eq true)", "o2 o3"),
        ("Observation", "date po 2024-01-15", "o2"),
        ("Observation", "date po 2024-01", "o1 o2"),
        ("Observation", "date po 2024-01-05/2024-01-12", "o1 o2"),
        ("Observation", "date sa 2024-01-15", "o3"),
        ("Observation", "date eb 2024-02", "o1 o2"),
        ("Observation", "value-quantity ge 5000|http://unitsofmeasure.org|mg", "o2"),
        ("Observation", "value-quantity gt 5000|http://unitsofmeasure.org|mg", ""),
        ("Observation", "code in urn:set", "o1"),
        ("Observation", "code ni urn:set", "o2 o3"),
        ("Observation", "code ss urn:codes|fruit", "o1 o2"),
        ("Observation", "code ss fruit", "o1 o2"),
        ("Observation", "code sb urn:codes|apple", "o1 o2"),
        ("ValueSet", "url sw http://example.org", "v"),
        ("ValueSet", "url co sets", "v"),
        ("ValueSet", "url ew one", "v"),
        ("ValueSet", "url ew two", ""),
        ("ValueSet", "url ne http://example.org/sets/one", ""),
    ],
)  # fmt: skip
def test_a_filter_finds_what_it_says(
    filled: Store, resource_type: str, text: str, expected: str
) -> None:
    """Every operator, both words from left to right, paths through references."""
    assert sorted(ids(filled, resource_type, f"_filter={text}")) == expected.split()


def test_a_filter_is_one_condition_among_others(filled: Store) -> None:
    """It is joined with ordinary parameters, and with a second filter, by and."""
    assert ids(filled, "Patient", "active=true&_filter=gender pr true") == ["a"]
    assert ids(filled, "Patient", "_filter=active pr true&_filter=gender pr false") == ["c"]


def test_a_filter_sees_nothing_that_its_caller_may_not(filled: Store) -> None:
    """Negation and chains stay within the caller's compartment."""
    access = Access.patients(["a"])
    assert ids(filled, "Patient", "_filter=not (gender eq male)", access) == ["a"]
    assert ids(filled, "Observation", "_filter=subject.gender pr true or date pr true", access) == [
        "o1"
    ]


def test_codes_below_and_above_are_found_by_the_hierarchy(filled: Store) -> None:
    """With or without the system; the code itself is among them."""
    assert sorted(ids(filled, "Observation", "code:below=urn:codes|fruit")) == ["o1", "o2"]
    assert sorted(ids(filled, "Observation", "code:below=fruit,stone")) == ["o1", "o2", "o3"]
    assert sorted(ids(filled, "Observation", "code:above=apple")) == ["o1", "o2"]
    assert ids(filled, "Observation", "code:above=urn:codes|stone") == ["o3"]

"""Values of codes, quantities, references and components, found as they compare."""

from __future__ import annotations

from decimal import Decimal

import pytest

from fhir_bridge.access import Access
from fhir_bridge.store import Store
from tests.store.asking import ask, ids, observation, patient
from tests.store.filling import fill


@pytest.fixture
def filled(store: Store) -> Store:
    """Two patients with observations, an organization, a group."""
    return fill(store)


def test_values_of_one_component_belong_together(filled: Store) -> None:
    """A composite does not mix the code of one component with the value of another."""
    parts = [("8480-6", 120), ("8462-4", 80)]
    with filled.transaction() as tx:
        tx.put(
            observation(
                "bp",
                "a",
                "85354-9",
                component=[
                    {
                        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
                        "valueQuantity": {
                            "value": value,
                            "system": "http://unitsofmeasure.org",
                            "code": "mm[Hg]",
                        },
                    }
                    for code, value in parts
                ],
            )
        )
    name = "component-code-value-quantity"
    assert ids(filled, "Observation", f"{name}=8480-6$120") == ["bp"]
    assert ids(filled, "Observation", f"{name}=8480-6$80") == []
    kilopascal = "http://unitsofmeasure.org|kPa"
    assert ids(filled, "Observation", f"{name}=8480-6$gt15.9|{kilopascal}") == ["bp"]
    assert ids(filled, "Observation", "combo-code-value-quantity=8462-4$lt81") == ["bp"]


def _blood_pressure(id_: str, systolic: str) -> dict[str, object]:
    return observation(
        id_,
        "a",
        "85354-9",
        component=[
            {
                "code": {"coding": [{"system": "http://loinc.org", "code": "8480-6"}]},
                "valueQuantity": {"value": Decimal(systolic), "unit": "mmHg"},
            }
        ],
    )


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("combo-code=8480-6", ["bp"]),
        ("combo-code=1-1", ["a1", "b1"]),
        ("combo-code=8480-6,2-2", ["a2", "bp"]),
        ("combo-code:not=1-1", ["a2", "bp"]),
        ("combo-code=http://loinc.org|", ["a1", "a2", "b1", "bp"]),
        ("combo-value-quantity=142", ["bp"]),
        ("combo-value-quantity:missing=false", ["bp"]),
        ("combo-value-quantity:missing=true", ["a1", "a2", "b1"]),
        ("code=http://loinc.org|", ["a1", "a2", "b1", "bp"]),
        ("code=http://loinc.or|", []),
        ("code=http://loinc.org|&code=2-2", ["a2"]),
        ("code:not=http://loinc.org|", []),
        ("combo-code-value-quantity=8480-6$142", ["bp"]),
    ],
)
def test_a_union_of_parameters_is_asked_of_its_parts(
    filled: Store, query: str, expected: list[str]
) -> None:
    """A value counts once, wherever it stands; a system alone names all of its codes."""
    with filled.transaction() as tx:
        tx.put(_blood_pressure("bp", "142"))
    assert sorted(ids(filled, "Observation", query)) == expected
    assert ask(filled, "Observation", query + "&_summary=count").total == len(expected)


def test_another_name_of_a_parameter_sorts_too(filled: Store) -> None:
    """`phonetic` is `name`."""
    assert ids(filled, "Patient", "phonetic=shan") == ["a"]
    assert ids(filled, "Patient", "_sort=phonetic") == ids(filled, "Patient", "_sort=name")


def test_a_code_alone_is_found_in_every_system(store: Store) -> None:
    """In two systems, without one, too long to be listed; and not as a part of another code."""
    long = "c" * 500
    codings = {
        "a": {"system": "urn:a", "code": "10-1"},
        "b": {"system": "urn:b", "code": "10-1"},
        "c": {"code": "10-1"},
        "d": {"system": "urn:a", "code": "10"},
        "e": {"system": "urn:a", "code": long},
        "f": {"system": "urn:" + "f" * 500, "code": "10-1"},
    }
    with store.transaction() as tx:
        for id_, coding in codings.items():
            tx.put({**observation(id_, "p"), "code": {"coding": [coding]}})
    for query, expected in (
        ("code=10-1", "abcf"),
        ("code=10", "d"),
        (f"code={long}", "e"),
        (f"code={long},10", "de"),
        ("code=urn:b|10-1", "b"),
        ("code=|10-1", "c"),
        ("code=urn:a|", "ad"),
        ("code:not=10-1", "de"),
        ("combo-code=10-1&subject=Patient/p", "abcf"),
        ("code=9", ""),
    ):
        assert sorted(ids(store, "Observation", query)) == list(expected), query


def test_references_to_a_patient_stand_once(store: Store) -> None:
    """Whoever asks for subjects is answered from those that are patients and those that are not."""
    elsewhere = {"reference": "http://elsewhere.org/fhir/Patient/p"}
    logical = {"identifier": {"system": "urn:x", "value": "1"}}
    subjects = {"b": {"reference": "Group/g"}, "c": elsewhere, "d": logical}
    with store.transaction() as tx:
        tx.put(patient("p", gender="female"))
        tx.put(
            {
                "resourceType": "Group",
                "id": "g",
                "type": "person",
                "actual": True,
                "code": {"text": "x"},
            }
        )
        tx.put(observation("a", "p"))
        for id_, subject in subjects.items():
            tx.put({**observation(id_, ""), "subject": subject})
        tx.put({k: v for k, v in observation("e", "").items() if k != "subject"})
    for query, expected in (
        ("subject=Patient/p", "a"),
        ("subject=p", "a"),
        ("subject=Group/g", "b"),
        ("subject=g", "b"),
        ("subject=Group/g,Patient/p", "ab"),
        ("patient=p", "a"),
        ("patient=Group/g", ""),
        ("subject=http://elsewhere.org/fhir/Patient/p", "c"),
        ("patient=http://elsewhere.org/fhir/Patient/p", "c"),
        ("subject:identifier=urn:x|1", "d"),
        ("subject:missing=true", "e"),
        ("subject:missing=false", "abcd"),
        ("patient:missing=true", "bde"),
        ("subject.gender=female", "a"),
        ("subject:Group.type=person", "b"),
        ("patient.gender=female", "a"),
    ):
        assert sorted(ids(store, "Observation", query)) == list(expected), query
    assert ids(store, "Patient", "_has:Observation:subject:status=final") == ["p"]
    assert ids(store, "Group", "_has:Observation:subject:status=final") == ["g"]
    page = ask(store, "Observation", "_include=Observation:subject")
    assert sorted(each.id for each in page.includes) == ["g", "p"]
    page = ask(store, "Patient", "_revinclude=Observation:subject")
    assert [each.id for each in page.includes] == ["a"]
    only = Access.patients({"p"})
    assert ids(store, "Observation", "", only) == ["a"]


def test_a_quantity_is_found_in_every_unit_that_compares(store: Store) -> None:
    """Exactly, where a unit differs by a power of ten; also warmth, ranges and components."""
    ucum = "http://unitsofmeasure.org"

    def measured(value: str, unit: str, system: str = ucum) -> dict[str, object]:
        return {"value": Decimal(value), "system": system, "code": unit}

    values = {
        "a": measured("5.4", "mg"),
        "b": measured("0.0054", "g"),
        "c": measured("37.0", "Cel"),
        "d": measured("98.6", "[degF]"),
        "e": measured("5.4", "mg", "urn:other"),
        "f": measured("7", "mg"),
        "g": measured("3", "no-unit"),
    }
    with store.transaction() as tx:
        for id_, value in values.items():
            tx.put(observation(id_, "p", valueQuantity=value))
        pressure = {"code": {"coding": [{"system": "urn:c", "code": "x"}]}}
        component = [{**pressure, "valueQuantity": measured("16", "kPa")}]
        tx.put(observation("k", "p", component=component))
    for query, expected in (
        ("value-quantity=5.4|U|mg", "ab"),
        ("value-quantity=5400|U|ug", "ab"),
        ("value-quantity=gt5.4|U|mg", "f"),
        ("value-quantity=ge0.0054|U|g", "abf"),
        ("value-quantity=lt5.5|U|mg", "ab"),
        ("value-quantity=ne5.4|U|mg", "f"),
        ("value-quantity=37.0|U|Cel", "cd"),
        ("value-quantity=5.4||mg", "ae"),
        ("value-quantity=3|U|no-unit", "g"),
        ("value-quantity=gt5|U|m", ""),
        ("component-code-value-quantity=x$gt119|U|mm[Hg]", "k"),
        ("component-code-value-quantity=x$gt121|U|mm[Hg]", ""),
        ("combo-value-quantity=16|U|kPa", "k"),
    ):
        found = ids(store, "Observation", query.replace("|U|", f"|{ucum}|"))
        assert sorted(found) == list(expected), query

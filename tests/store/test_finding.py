"""Order, totals, includes, compartments and access of searches."""

from __future__ import annotations

import pytest

from fhir_bridge.access import Access
from fhir_bridge.store import Store
from tests.store.asking import ask, ids, patient
from tests.store.filling import fill


@pytest.fixture
def filled(store: Store) -> Store:
    """Two patients with observations, an organization, a group."""
    return fill(store)


@pytest.mark.parametrize(
    "query",
    [
        "name=单",
        "name=小明",
        "name=明",
        "name=shanxiaoming",
        "name=sxm",
        "name=單",
        "given=xiaoming",
        "name=shan xiao",
    ],
)
def test_a_chinese_name_is_found_by_characters_pinyin_and_initials(
    filled: Store, query: str
) -> None:
    """A surname is read as a surname; traditional characters are the same."""
    assert ids(filled, "Patient", query) == ["a"]


def test_totals_and_counts(filled: Store) -> None:
    """The total is of all pages; a count brings no matches."""
    page = ask(filled, "Observation", "_count=1&_total=accurate")
    assert (page.total, len(page.matches)) == (3, 1)
    page = ask(filled, "Observation", "code=1-1&_summary=count")
    assert (page.total, page.matches) == (2, [])
    assert ask(filled, "Observation", "code=none&_summary=count").total == 0


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("_sort=date", ["a1", "a2", "b1"]),
        ("_sort=-date", ["b1", "a2", "a1"]),
        ("_sort=-_id", ["b1", "a2", "a1"]),
        ("_sort=_lastUpdated,-date", ["b1", "a2", "a1"]),
        ("subject=Patient/a&_sort=-date", ["a2", "a1"]),
        ("subject=a,b&code=1-1&_sort=date", ["a1", "b1"]),
        ("subject.name=muller", ["b1"]),
        ("subject:Patient.organization.name=中", ["a2", "a1"]),
        ("patient._has:Group:member:_id=g&_sort=date", ["a1", "a2"]),
        ("code:not=1-1", ["a2"]),
        ("date:missing=true", []),
        ("date=ge2024-01-02&_sort=date", ["a2", "b1"]),
        ("_lastUpdated=gt2099", []),
        ("_content=9-9", []),
        ("_content=2-2", ["a2"]),
    ],
)
def test_observations_are_found_in_order(filled: Store, query: str, expected: list[str]) -> None:
    """Conditions, chains and sort keys together."""
    assert ids(filled, "Observation", query) == expected


def test_sorting_by_a_string_puts_the_missing_last(filled: Store) -> None:
    """Pages follow each other by value, in both directions."""
    with filled.transaction() as tx:
        tx.put(patient("nameless"))
    assert ids(filled, "Patient", "_sort=family") == ["b", "a", "nameless"]
    assert ids(filled, "Patient", "_sort=-family") == ["a", "b", "nameless"]
    seen, cursor = [], ""
    while True:
        page = ask(filled, "Patient", "_sort=family,-birthdate&_count=1", cursor=cursor)
        seen += [each.id for each in page.matches]
        cursor = page.next
        if not cursor:
            break
    assert seen == ["b", "a", "nameless"]


def test_includes_follow_references_both_ways(filled: Store) -> None:
    """Forward, reverse and iterated; each resource once."""
    page = ask(
        filled,
        "Observation",
        "code=1-1&_include=Observation:subject&_include:iterate=Patient:organization",
    )
    assert sorted(each.id for each in page.includes) == ["a", "b", "org"]
    page = ask(filled, "Patient", "_id=a&_revinclude=Observation:subject")
    assert sorted(each.id for each in page.includes) == ["a1", "a2"]


def test_access_holds_inside_every_question(filled: Store) -> None:
    """Matches, totals, chains, reverse chains, includes, reads, history and export."""
    only_b = Access.patients(["b"])
    assert ids(filled, "Observation", "", only_b) == ["b1"]
    assert ids(filled, "Patient", "", only_b) == ["b"]
    assert ask(filled, "Observation", "_total=accurate", only_b).total == 1
    assert ids(filled, "Observation", "subject.birthdate=1970-01-01", only_b) == []
    assert ids(filled, "Patient", "_has:Observation:subject:code=2-2", only_b) == []
    assert ids(filled, "Patient", "_has:Observation:subject:code=1-1", only_b) == ["b"]
    assert ids(filled, "Organization", "name=中", only_b) == ["org"]
    assert ids(filled, "Group", "", only_b) == []
    page = ask(filled, "Organization", "_revinclude=Patient:organization", only_b)
    assert page.includes == []
    assert filled.read("Patient", "a", only_b) is None
    assert filled.vread("Patient", "a", 1, only_b) is None
    assert filled.read("Patient", "b", only_b)
    assert {each.id for each in filled.history(access=only_b).matches} == {"b", "b1", "org"}
    assert filled.history("Patient", "a", access=only_b).total == 0
    assert len(list(filled.bodies("Observation", only_b))) == 1
    assert ids(filled, None, "_type=Patient,Observation", Access.nothing()) == []
    assert ids(filled, "Observation", "", Access.everything().only_types(["Patient"])) == []


def test_a_compartment_is_searched_by_its_parameters(filled: Store) -> None:
    """Patient/a holds its own observations and no other's."""
    from fhir_bridge.search import parse_search, plan

    search = parse_search("Observation", [], filled.registry)
    question = plan(search, filled.registry, compartment=("Patient", "a"))
    assert sorted(each.id for each in filled.find(question).matches) == ["a1", "a2"]


def test_a_list_names_resources(filled: Store) -> None:
    """``_list`` finds the items of a List."""
    with filled.transaction() as tx:
        tx.put(
            {
                "resourceType": "List",
                "id": "l",
                "status": "current",
                "mode": "working",
                "entry": [{"item": {"reference": "Observation/b1"}}],
            }
        )
    assert ids(filled, "Observation", "_list=l") == ["b1"]

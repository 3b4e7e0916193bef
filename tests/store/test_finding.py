"""Pages, order, totals, includes and access of searches."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from fhir_bridge import clock
from fhir_bridge.access import Access
from fhir_bridge.errors import BridgeError
from fhir_bridge.store import Store, maintenance
from tests.store.asking import ask, ids, observation, patient


@pytest.fixture
def filled(store: Store) -> Store:
    """Two patients with observations, an organization, a group."""
    with store.transaction() as tx:
        tx.put_many(
            [
                patient(
                    "a",
                    name=[{"text": "单小明", "family": "单", "given": ["小明"]}],
                    birthDate="1970-01-01",
                    managingOrganization={"reference": "Organization/org"},
                ),
                patient("b", name=[{"family": "Müller", "given": ["Ada"]}], birthDate="1980"),
                {"resourceType": "Organization", "id": "org", "name": "中心"},
                observation("a1", "a", effectiveDateTime="2024-01-01"),
                observation("a2", "a", "2-2", effectiveDateTime="2024-01-02"),
                observation("b1", "b", effectiveDateTime="2024-01-03"),
                {
                    "resourceType": "Group",
                    "id": "g",
                    "type": "person",
                    "actual": True,
                    "member": [{"entity": {"reference": "Patient/a"}}],
                },
            ]
        )
    return store


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


def test_pages_show_the_moment_of_the_first(filled: Store) -> None:
    """Later creations, changes and deletions neither appear nor move anything."""
    first = ask(filled, "Observation", "_count=1&_sort=date")
    with filled.transaction() as tx:
        tx.put(observation("new", "b", effectiveDateTime="2024-01-02"))
        tx.put(observation("a2", "a", "9-9", effectiveDateTime="2030-01-02"))
        tx.delete("Observation", "b1")
    seen, cursor, codes = [each.id for each in first.matches], first.next, []
    while cursor:
        page = ask(filled, "Observation", "_count=1&_sort=date", cursor=cursor)
        seen += [each.id for each in page.matches]
        codes += [b'"2-2"' in each.body for each in page.matches]
        cursor = page.next
    assert seen == ["a1", "a2", "b1"]
    assert codes == [True, False]
    assert ids(filled, "Observation", "_sort=date") == ["a1", "new", "a2"]


def test_a_cursor_cannot_be_changed_or_used_for_another_question(filled: Store) -> None:
    """A page link is sealed for its search and its caller."""
    cursor = ask(filled, "Observation", "_count=1").next
    forged = ("A" if cursor[0] != "A" else "B") + cursor[1:]
    for query, text, access in (
        ("_count=1", forged, None),
        ("_count=1", "", None),
        ("_count=1&code=1-1", cursor, None),
        ("_count=1", cursor, Access.patients(["a"])),
    ):
        if not text:
            continue
        with pytest.raises(BridgeError) as refused:
            ask(filled, "Observation", query, access, text)
        assert refused.value.code == "FB-4110"


def test_a_cursor_expires_with_its_snapshot(opening: Callable[..., Store]) -> None:
    """After the time for which snapshots are kept, a link is refused."""
    store = opening(keep_snapshots=60_000)
    began = datetime(2026, 1, 1, tzinfo=UTC)
    with clock.at(began):
        with store.transaction() as tx:
            tx.put_many([patient("a"), patient("b")])
        cursor = ask(store, "Patient", "_count=1").next
    with clock.at(began + timedelta(minutes=2)), pytest.raises(BridgeError) as refused:
        ask(store, "Patient", "_count=1", cursor=cursor)
    assert refused.value.code == "FB-4111"


def test_replaced_versions_are_cleared_when_no_page_can_need_them(
    opening: Callable[..., Store],
) -> None:
    """Old index rows go, old bodies are compressed and still read as they were."""
    store = opening(keep_snapshots=1_000)
    began = datetime(2026, 1, 1, tzinfo=UTC)
    text = "x" * 1_000
    with clock.at(began), store.transaction() as tx:
        tx.put(patient("p"))
    for minute, code in enumerate(("1-1", "2-2", "3-3")):
        with clock.at(began + timedelta(minutes=minute)), store.transaction() as tx:
            tx.put(observation("o", "p", code, note=[{"text": text}]))
    with clock.at(began + timedelta(minutes=9)):
        assert store.collect() == 1
        assert store.collect() == 0
    assert text.encode() in store.vread("Observation", "o", 1).body  # type: ignore[union-attr]
    assert ids(store, "Observation", "code=1-1") == []
    assert maintenance.check(store).issues == ()


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


def test_history_of_a_deleted_resource_keeps_its_compartment(filled: Store) -> None:
    """A deletion is seen by who could see what was deleted, and by nobody else."""
    with filled.transaction() as tx:
        tx.delete("Observation", "a1")
    for access, expected in ((Access.patients(["a"]), 2), (Access.patients(["b"]), 0)):
        assert filled.history("Observation", "a1", access=access).total == expected


def test_history_pages_newest_first(filled: Store) -> None:
    """By instance, type and system, since a time and at a time."""
    with filled.transaction() as tx:
        for number in range(5):
            tx.put(patient("a", birthDate=f"197{number}-05-05"))
    seen, cursor = [], ""
    while True:
        page = filled.history("Patient", "a", count=2, cursor=cursor)
        seen += [each.version for each in page.matches]
        cursor = page.next
        if not cursor:
            break
    assert seen == [6, 5, 4, 3, 2, 1]
    assert filled.history("Observation").total == 3
    assert filled.history().total == 12
    assert filled.history(since=4_000_000_000_000).total == 0


def test_history_pages_show_the_moment_of_the_first(filled: Store) -> None:
    """What is written between two pages is on none of them, and the total stays."""
    with filled.transaction() as tx:
        tx.put(patient("a", birthDate="1970-05-05"))
    page = filled.history(count=2)
    total, seen = page.total, [each.row_id for each in page.matches]
    with filled.transaction() as tx:
        tx.put_many([patient("a", birthDate="1971-05-05"), patient("new")])
    while page.next:
        page = filled.history(count=2, cursor=page.next)
        assert page.total == total
        seen += [each.row_id for each in page.matches]
    assert len(seen) == len(set(seen)) == total


@pytest.mark.postgresql
def test_history_leaves_out_what_was_not_committed_at_the_first_page(
    opening: Callable[..., Store], database: str
) -> None:
    """A transaction that began before the first page and ends after it is on no page."""
    if database.startswith("sqlite"):
        pytest.skip("SQLite has one writer")
    store = opening()
    with store.transaction() as tx:
        tx.put(patient("a"))
    with store.transaction() as late:
        late.put(patient("late", birthDate="1970-01-01"))
        late.flush()
        with store.transaction() as tx:
            tx.put_many([patient("b"), patient("c")])
        page = store.history(count=1)
    seen = [each.id for each in page.matches]
    while page.next:
        page = store.history(count=1, cursor=page.next)
        seen += [each.id for each in page.matches]
    assert sorted(seen) == ["a", "b", "c"]


def test_a_compartment_is_searched_by_its_parameters(filled: Store) -> None:
    """Patient/a holds its own observations and no other's."""
    from fhir_bridge.search import parse_search, plan

    search = parse_search("Observation", [], filled.registry)
    question = plan(search, filled.registry, compartment=("Patient", "a"))
    assert sorted(each.id for each in filled.find(question).matches) == ["a1", "a2"]


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

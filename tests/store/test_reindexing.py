"""Reindexing and checking in ranges: exact, resumable, and only what is needed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest

from fhir_bridge import clock
from fhir_bridge.fhir import definitions
from fhir_bridge.search import Registry
from fhir_bridge.store import Store, maintenance
from fhir_bridge.store.maintenance import index_rows, reindexing, revision
from tests.store.asking import ids, observation, patient

MARITAL = {
    "resourceType": "SearchParameter",
    "url": "urn:own",
    "code": "marital",
    "type": "token",
    "base": ["Patient"],
    "expression": "Patient.maritalStatus",
}
TABLES = ("posting", "string_value", "date_value", "quantity_value", "reference", "term")


class _StopError(Exception):
    """Somebody pressed Ctrl-C."""


@pytest.fixture(autouse=True)
def small_ranges(monkeypatch: pytest.MonkeyPatch) -> None:
    """Borders of ranges and batches within a few resources."""
    monkeypatch.setattr(index_rows, "RANGE", 4)
    monkeypatch.setattr(reindexing, "_BATCH", 2)
    monkeypatch.setattr(reindexing, "_DELETE_BATCH", 3)


def _fill(store: Store) -> None:
    with store.transaction() as tx:
        tx.put_many(
            [
                patient(
                    f"p{n}",
                    name=[{"family": "王", "given": ["小明"]}],
                    birthDate=f"19{n}0-01-01",
                    maritalStatus={"coding": [{"code": "M"}]},
                )
                for n in range(1, 10)
            ]
        )
        tx.put_many([observation(f"o{n}", f"p{n}") for n in range(1, 10)])
    with store.transaction() as tx:
        tx.put(patient("p1", gender="male"))
        tx.delete("Observation", "o2")


def _index(store: Store) -> dict[str, list[tuple[object, ...]]]:
    with store.reading() as session:
        return {name: sorted(session.all(f"SELECT * FROM {name}")) for name in TABLES}


def _in_ranges(registry: Registry, *extra: dict[str, object]) -> Registry:
    return Registry(registry.definitions, extra)


def test_a_lost_index_comes_back_as_it_was(store: Store) -> None:
    """Every table, every row, across the borders of ranges; a sound index is not written."""
    _fill(store)
    before = _index(store)
    with store.writing() as session:
        for table in TABLES[:-1]:
            session.run(f"DELETE FROM {table} WHERE row_id IN (3, 4, 5, 19)")
        session.run("DELETE FROM term")
    assert len(maintenance.check(store).issues) >= 3
    assert maintenance.reindex(store) == 17
    after = _index(store)
    replaced = [row for row in before["reference"] if row not in after["reference"]]
    assert {row[0] for row in replaced} <= {1, 11}, "rights on replaced versions are not made anew"
    assert {**before, "reference": []} == {**after, "reference": []}
    assert maintenance.check(store).issues == ()


def test_a_text_lost_from_the_dictionary_is_found_and_comes_back(store: Store) -> None:
    """A search by a code's display, or by the code alone, goes by the dictionary."""
    _fill(store)
    with store.writing() as session:
        session.run("DELETE FROM term")
    reasons = {str(each.details["reason"]) for each in maintenance.check(store).issues}
    assert all("dictionary" in each for each in reasons)
    assert reasons
    maintenance.reindex(store)
    assert maintenance.check(store).issues == ()


def test_rows_too_many_go(store: Store) -> None:
    """Rows of wrong values, of versions that are not there, and texts of the wrong kind."""
    _fill(store)
    before = _index(store)
    with store.writing() as session:
        session.bulk("posting", ("hash", "date", "row_id"), [(1, 1, 5), (1, 1, 99), (2, 2, 6)])
        session.bulk("reference", ("row_id", "target", "member"), [(5, 77, 1)])
        session.run("UPDATE string_value SET derived = 1 - derived WHERE row_id = 7")
        session.run("UPDATE resource SET sort_date = 12345 WHERE row_id = 12")
    checked = maintenance.check(store)
    assert len(checked.issues) == 5
    assert "sort date" in " ".join(map(str, checked.issues))
    maintenance.reindex(store)
    assert _index(store) == before
    assert maintenance.check(store).issues == ()


def test_versions_that_page_links_may_need_keep_their_rows(opening: Callable[..., Store]) -> None:
    """A replaced version stays in the index until its time, and leaves nothing behind then."""
    store = opening(keep_snapshots=60_000)
    began = datetime(2026, 1, 1, tzinfo=UTC)
    with clock.at(began):
        _fill(store)
        with store.writing() as session:
            session.bulk("posting", ("hash", "date", "row_id"), [(1, 1, 1)])
        before = _index(store)["posting"]
        maintenance.reindex(store)
        assert _index(store)["posting"] == [each for each in before if each != (1, 1, 1)]
    with clock.at(began + timedelta(minutes=5)):
        store.collect()
    assert not {row[-1] for row in _index(store)["posting"]} & {1, 11}
    assert maintenance.check(store).issues == ()


def test_a_stopped_run_goes_on_where_it_was(store: Store) -> None:
    """After the last whole range; another run with the same rules does the rest."""
    _fill(store)

    def stop(place: int, _: int) -> None:
        if place > 8:
            raise _StopError

    with pytest.raises(_StopError):
        maintenance.reindex(store, progress=stop)
    done = maintenance.reindex(store)
    assert 0 < done <= 11
    assert maintenance.reindex(store) == 17
    with pytest.raises(_StopError):
        maintenance.reindex(store, progress=stop)
    assert maintenance.reindex(store, restart=True) == 17


def test_a_stopped_check_goes_on_where_it_was(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was found before the stop is told at the end, for a day."""
    monkeypatch.setattr("fhir_bridge.store.maintenance.checking._PROGRESS_EVERY", 1)
    _fill(store)
    with store.writing() as session:
        session.run("DELETE FROM posting WHERE row_id = 2")

    def stop(place: int, _: int) -> None:
        if place > 8:
            raise _StopError

    seen: list[int] = []
    with pytest.raises(_StopError):
        maintenance.check(store, progress=stop)
    checked = maintenance.check(store, progress=lambda place, _: seen.append(place))
    assert min(seen) > 8
    assert (checked.resources, len(checked.issues)) == (17, 1)
    with pytest.raises(_StopError):
        maintenance.check(store, progress=stop)
    with clock.at(clock.now() + timedelta(days=2)):
        assert (
            maintenance.check(store, progress=lambda place, _: seen.append(place)).resources == 17
        )
    assert min(seen) < 8


def test_an_index_of_other_rules_is_told_until_it_is_made_anew(
    opening: Callable[..., Store], registry: Registry
) -> None:
    """A parameter in a file touches its own types; a type without resources needs nothing."""
    store = opening()
    assert maintenance.index_issues(store) == []
    _fill(store)
    added = opening(registry=_in_ranges(registry, MARITAL, {**MARITAL, "base": ["Person"]}))
    assert maintenance.outdated_types(added) == {"Patient"}
    (issue,) = maintenance.index_issues(added)
    assert (issue.code, "Patient" in str(issue), "reindex" in issue.hint) == ("FB-5012", True, True)
    assert issue in maintenance.check(added).issues
    assert maintenance.reindex(added, maintenance.outdated_types(added)) == 9
    assert maintenance.index_issues(added) == []
    assert sorted(ids(added, "Patient", "marital=M")) == [f"p{n}" for n in range(2, 10)]
    assert maintenance.outdated_types(opening()) == {"Patient"}, "the parameter is gone again"


def test_a_run_by_other_rules_does_not_go_on(
    opening: Callable[..., Store], registry: Registry
) -> None:
    """A place reached before a parameter was added says nothing of its index."""
    store = opening()
    _fill(store)

    def stop(place: int, _: int) -> None:
        if place > 8:
            raise _StopError

    with pytest.raises(_StopError):
        maintenance.reindex(store, progress=stop)
    added = opening(registry=_in_ranges(registry, MARITAL))
    assert maintenance.reindex(added) == 17
    assert len(ids(added, "Patient", "marital=M")) == 8


def test_a_record_of_an_older_release_is_told(opening: Callable[..., Store]) -> None:
    """Without a note of its rules an index counts as outdated, unless it is empty."""
    store = opening()
    _fill(store)
    store.settings.forget("index revision")
    assert maintenance.outdated_types(opening()) == {"Observation", "Patient"}
    maintenance.reindex(store)
    assert maintenance.outdated_types(opening()) == frozenset()


def test_the_zone_is_part_of_the_rules(registry: Registry) -> None:
    """It changes the dates of every type; the address of the server changes nothing."""
    plain = revision.revision(registry)
    zone = Registry(definitions(), zone=timezone(timedelta(hours=8)))
    assert not set(revision.revision(zone).items()) & set(plain.items())
    assert revision.revision(Registry(definitions(), own_bases=("http://here/fhir",))) == plain

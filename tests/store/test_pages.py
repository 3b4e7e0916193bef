"""Pages: each shows the time of the first, and a link is sealed for its search and its caller."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from fhir_bridge import clock
from fhir_bridge.access import Access
from fhir_bridge.errors import BridgeError
from fhir_bridge.store import Store, maintenance
from tests.store.asking import ask, ids, observation, patient
from tests.store.filling import fill


@pytest.fixture
def filled(store: Store) -> Store:
    """Two patients with observations, an organization, a group."""
    return fill(store)


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

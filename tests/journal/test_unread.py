"""Counts of what no map reads: added up, dropped with the text of a map, reset."""

from __future__ import annotations

from dataclasses import replace

from fhir_bridge.journal import UnreadTally
from fhir_bridge.store import Store

ONE = UnreadTally(
    "his", "urn:adt", "PID-13", False, "d1", 3,
    "2026-03-01T08:00:00.000Z", "2026-03-01T09:00:00.000Z", "999",
)  # fmt: skip


def _count(store: Store, *tallies: UnreadTally) -> None:
    with store.transaction() as transaction:
        transaction.count_unread(tallies)


def test_counts_add_up_and_remember_first_and_last(store: Store) -> None:
    """What several processes and many commits bring is one row a place."""
    _count(store, ONE, replace(ONE, place="ZPI", looked=True))
    _count(store, replace(ONE, count=4, last="2026-03-02T09:00:00.000Z"))

    first, second = store.unread.places("his")
    assert (first.place, first.count, first.looked, first.example) == ("PID-13", 7, False, "999")
    assert (first.first_seen, first.last_seen) == (
        "2026-03-01T08:00:00.000Z",
        "2026-03-02T09:00:00.000Z",
    )
    assert (second.place, second.looked) == ("ZPI", True)


def test_counts_of_another_text_of_the_map_are_dropped(store: Store) -> None:
    """Of the same feed and map only."""
    _count(store, ONE, replace(ONE, map="urn:oru"), replace(ONE, feed="lab"))
    _count(store, replace(ONE, place="PID-1", digest="d2", count=1))

    assert [(one.map, one.place) for one in store.unread.places("his")] == [
        ("urn:oru", "PID-13"),
        ("urn:adt", "PID-1"),
    ]
    assert len(store.unread.places("lab")) == 1


def test_counting_can_begin_anew(store: Store) -> None:
    """For one feed, or for all."""
    _count(store, ONE, replace(ONE, feed="lab"))

    assert store.unread.reset("his") == 1
    assert [one.feed for one in store.unread.places()] == ["lab"]
    assert store.unread.reset() == 1

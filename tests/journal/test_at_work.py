"""What is being worked on, what is pending within a bound of bytes, and what is set aside."""

from __future__ import annotations

import pytest

from fhir_bridge.errors import BridgeError, Issue
from fhir_bridge.journal import Message, Refusal
from fhir_bridge.store import Store


def _kept(store: Store, *sizes: int) -> list[int]:
    entries = [Message("adt", b"x" * size, f"{n}") for n, size in enumerate(sizes)]
    return [each.message_id for each in store.journal.append(entries)]


def test_pending_is_bounded_by_bytes_and_always_gives_one(store: Store) -> None:
    """The first that is too large comes alone; the others as many as fit, in order."""
    large, small, other, last = _kept(store, 900, 100, 150, 100)

    def fitting(after: int) -> list[int]:
        return [m.message_id for m in store.journal.pending(10, after, most_bytes=300)]

    assert fitting(0) == [large]
    assert fitting(large) == [small, other]
    assert [m.message_id for m in store.journal.pending(2, small, most_bytes=300)] == [other, last]
    assert store.journal.has_pending()


def test_what_is_begun_is_told_until_it_is_done(store: Store) -> None:
    """With its number of beginnings, the row of who is gone taken over, and nothing after the end."""
    first, second = _kept(store, 10, 20)
    store.at_work.begin("before", {first: 1, second: 1})
    store.at_work.begin("now", {first: 2, second: 1}, instead_of=["before"])

    assert store.at_work.holders() == {"now": {first: 2, second: 1}}
    assert [(m.message_id, m.times, m.size) for m in store.at_work.messages()] == [
        (first, 2, 10),
        (second, 1, 20),
    ]
    with store.transaction() as tx:
        tx.journal_done(first)
    assert [m.message_id for m in store.at_work.messages()] == [second]
    store.at_work.end("now")
    assert store.at_work.messages() == []


def test_only_what_is_begun_now_can_be_skipped(store: Store) -> None:
    """Another that was skipped and would have been tried later ends no work."""
    first, second = _kept(store, 10, 20)
    store.at_work.begin("host 12 x", {first: 2}, later={first: 1, second: 1})
    store.quarantine.set_aside(second, Issue("FB-6022", "error"))
    assert not store.at_work.is_skipped(" 12 ", -1)
    store.quarantine.set_aside(first, Issue("FB-6022", "error"))

    assert store.at_work.is_skipped(" 12 ", -1)
    assert not store.at_work.is_skipped(" 1 ", -1)
    assert not store.at_work.is_skipped(" 12 ", 60)


def test_a_message_is_set_aside_whole_once_and_can_be_released(store: Store) -> None:
    """Its bytes are not read for it; what is done already is not touched."""
    (message,) = _kept(store, 10)
    item = store.quarantine.set_aside(message, Issue("FB-6022", "error"))

    assert store.journal.get(message).status == "quarantined"
    assert not store.journal.has_pending()
    kept = store.quarantine.get(item)
    assert (kept.message_id, kept.data, kept.issues[0].code) == (message, b"x" * 10, "FB-6022")
    with pytest.raises(BridgeError, match="FB-5204"):
        store.quarantine.set_aside(message, Issue("FB-6022", "error"))
    assert store.quarantine.release(item) == message
    assert store.journal.is_pending(message)


def test_lists_of_the_quarantine_do_not_read_what_is_large(store: Store) -> None:
    """A page of fifty large files would be larger than memory; their size is told."""
    issues = [Issue("FB-1001")]
    for size in (10, 5000):
        store.quarantine.add(Refusal(Message("adt", b"x" * size), issues, message_id=7))

    bounded = store.quarantine.list(most_bytes=100)
    assert [(item.size, len(item.data)) for item in bounded] == [(5000, 0), (10, 10)]
    assert [len(item.data) for item in store.quarantine.list()] == [5000, 10]
    assert store.quarantine.get(bounded[0].item_id, most_bytes=5000).size == 5000
    assert [item.data for item in store.quarantine.of_message(7, most_bytes=0)] == [b"", b""]

"""The journal, the quarantine and the identity tables."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import pytest

from fhir_bridge.errors import BridgeError, Issue
from fhir_bridge.journal import Message, Refusal
from fhir_bridge.store import PersonRow, Store
from tests.store.asking import patient


def test_a_repeat_is_answered_from_the_record(opening: Callable[..., Store]) -> None:
    """The same feed, control id and digest is one message, also after a restart."""
    store = opening()
    first = store.journal.append([Message("adt", b"MSH|1", "C1")])[0]
    again, other = opening().journal.append(
        [Message("adt", b"MSH|1", "C1"), Message("adt", b"MSH|2", "C1")]
    )
    assert (again.message_id, again.repeated) == (first.message_id, True)
    assert not other.repeated


def test_a_message_is_done_with_its_resources_or_not_at_all(store: Store) -> None:
    """The mark is part of the record transaction."""
    one, two = store.journal.append([Message("adt", b"1"), Message("adt", b"2")])

    def fail() -> None:
        with store.transaction() as tx:
            tx.put(patient("p"))
            tx.journal_done(one.message_id)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert [each.message_id for each in store.journal.pending(10)] == [
        one.message_id,
        two.message_id,
    ]
    with store.transaction() as tx:
        tx.put(patient("p"))
        tx.journal_done(one.message_id, "done", "1 resource")
    waiting = store.journal.pending(10)
    assert [each.data for each in waiting] == [b"2"]
    counts = store.journal.counts_by_feed()[0]
    assert (counts.feed, counts.received, counts.pending, counts.done) == ("adt", 2, 1, 1)
    assert store.journal.latest("adt", status="done")[0].detail == "1 resource"
    store.journal.reopen(one.message_id)
    assert len(store.journal.pending(10)) == 2


def test_an_unknown_message_cannot_be_marked(store: Store) -> None:
    """A wrong number is an error, not a silence."""
    with pytest.raises(BridgeError) as refused, store.transaction() as tx:
        tx.journal_done(99)
    assert refused.value.code == "FB-5201"


def test_quarantine_keeps_raw_bytes_and_reasons(store: Store) -> None:
    """Items are listed by feed, read, and taken out."""
    issues = [Issue("FB-1001", "error", "line 3", {"reason": "x"}), Issue("FB-1002", "warning")]
    entry = Refusal(Message("cda", b"\xff\x00raw", source="a.xml"), issues, message_id=7)
    kept = store.quarantine.add(entry)
    store.quarantine.add(Refusal(Message("adt", b"2"), issues[1:]))
    found = store.quarantine.list("cda")
    assert [(each.item_id, each.data, each.issues) for each in found] == [
        (kept, b"\xff\x00raw", tuple(issues))
    ]
    assert store.quarantine.of_message(7)[0].source == "a.xml"
    assert store.quarantine.counts_by_feed() == {"cda": {"FB-1001": 1}, "adt": {"FB-1002": 1}}
    store.quarantine.remove(kept)
    with pytest.raises(BridgeError):
        store.quarantine.get(kept)


def test_a_released_message_is_pending_in_its_old_place(store: Store) -> None:
    """It waits before what came later; nothing of it is left in quarantine."""
    for number in (b"1", b"2"):
        store.journal.append([Message("adt", number, "C", source="10.0.0.7")])
    with store.transaction() as tx:
        tx.journal_done(1, "quarantined")
        item = tx.quarantine_add(Refusal(Message("adt", b"1"), [Issue("FB-1001")], message_id=1))
    assert store.quarantine.release(item) == 1
    assert [each.message_id for each in store.journal.pending()] == [1, 2]
    assert store.quarantine.list() == []
    with pytest.raises(BridgeError) as refused:
        store.quarantine.release(item)
    assert refused.value.code == "FB-5202"


def test_a_large_message_is_released_unread(store: Store) -> None:
    """A message may have half a gigabyte: the database gives it back by itself."""
    data = b"x" * 20_000_000
    store.journal.append([Message("files", data, source="a.csv")])
    item = store.quarantine.set_aside(1, Issue("FB-6021"))
    tracemalloc.start()
    try:
        assert store.quarantine.release(item) == 1
        assert store.journal.feed_of(1) == "files"
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000
    assert store.journal.get(1).data == data


def test_a_part_as_long_as_its_message_stays_a_part(store: Store) -> None:
    """What tells is the content, not the length."""
    store.journal.append([Message("files", b"1,2", source="a.csv")])
    with store.transaction() as tx:
        tx.journal_done(1, "quarantined")
        item = tx.quarantine_add(Refusal(Message("files", b"2,1"), [Issue("FB-1")], message_id=1))
    released = store.quarantine.release(item)
    assert (2, b"2,1") == (released, store.journal.get(released).data)


def test_a_released_row_is_a_message_of_its_own(store: Store) -> None:
    """Also again; its file is done when nothing of it rests any more."""
    store.journal.append([Message("files", b"all rows", source="a.csv")])
    with store.transaction() as tx:
        tx.journal_done(1, "quarantined")
        rows = [
            tx.quarantine_add(
                Refusal(
                    Message("files", row, received="2026-01-01T00:00:00.000Z"),
                    [Issue("FB-1001")],
                    message_id=1,
                )
            )
            for row in (b'{"a":1}', b'{"a":2}')
        ]
    assert store.quarantine.release(rows[0]) == 2
    assert store.journal.get(1).status == "quarantined"
    message = store.journal.get(2)
    assert (message.data, message.received) == (b'{"a":1}', "2026-01-01T00:00:00.000Z")
    assert store.quarantine.release(rows[1]) == 3
    assert (store.journal.get(1).status, store.journal.get(1).detail) == ("done", "replayed")
    with store.transaction() as tx:
        tx.journal_done(2, "quarantined")
        again = tx.quarantine_add(
            Refusal(Message("files", b'{"a":1}'), [Issue("FB-1001")], message_id=2)
        )
    assert store.quarantine.release(again) == 2
    assert store.journal.is_pending(2)


def test_what_was_refused_at_the_door_is_released_as_a_message(store: Store) -> None:
    """It never had a place in the journal and gets one now."""
    item = store.quarantine.add(Refusal(Message("adt", b"raw"), [Issue("FB-1001")]))
    assert store.journal.get(store.quarantine.release(item)).data == b"raw"


def test_a_turn_tells_who_had_it_before(store: Store) -> None:
    """Only the holder of the turn before may trust what it remembers."""
    told = []
    for holder in (b"a", b"a", b"b", b"a"):
        with store.transaction() as tx:
            told.append(tx.take_turn("pipeline", holder))
    assert told == [False, True, False, False]


def test_identity_keys_and_statements(store: Store) -> None:
    """Keys point to one Patient; a statement may move; decisions are only added."""
    with store.transaction() as tx:
        tx.set_identity_keys({b"k1": "p", b"k2": "p"})
        tx.add_identity_keys([(b"k1", "q"), (b"k3", "q")])
        tx.put_identity_statement(PersonRow("adt", "1", "p", 2, b"{}"))
        tx.put_identity_statement(PersonRow("adt", "1", "q", 1, b"{1}", 7, times=b"{}"))
        tx.log_link("q", "adt", "1", "verified-identifier", "moved")
    with store.transaction() as tx:
        assert tx.identity_keys([b"k1", b"k3", b"k4"]) == {b"k1": "p", b"k3": "q"}
        assert tx.identity_statements("p") == []
        assert tx.identity_statements("q") == [
            PersonRow("adt", "1", "q", 1, b"{1}", 7, times=b"{}")
        ]

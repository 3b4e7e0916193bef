"""Versions, conditions, atomicity and concurrency of writes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from fhir_bridge import clock
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import parse_json
from fhir_bridge.store import Store, maintenance
from tests.store.asking import ids, observation, patient


def test_a_body_is_served_as_it_was_written_with_its_version(store: Store) -> None:
    """Key order and decimals stay; version and time stand in meta."""
    given = parse_json(
        b'{"resourceType":"Observation","id":"o","meta":{"profile":["urn:p"]},'
        b'"status":"final","code":{"text":"x"},"valueQuantity":{"value":1.10}}'
    )
    with clock.at(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)), store.transaction() as tx:
        written = tx.put(given)
    found = store.read("Observation", "o")
    assert found
    assert found.body == (
        b'{"resourceType":"Observation","id":"o","meta":{"versionId":"1",'
        b'"lastUpdated":"2026-01-02T03:04:05.000Z","profile":["urn:p"]},'
        b'"status":"final","code":{"text":"x"},"valueQuantity":{"value":1.10}}'
    )
    assert (written.outcome, written.version) == ("created", 1)


def test_unchanged_content_writes_no_version(store: Store) -> None:
    """A resend of the same content is answered "unchanged"."""
    for expected in ("created", "unchanged"):
        with store.transaction() as tx:
            assert tx.put(patient("p", active=True)).outcome == expected
    assert store.history("Patient", "p").total == 1


def test_versions_follow_each_other_within_one_transaction(store: Store) -> None:
    """Two puts of one resource in a batch are two versions, and the last one is found."""
    with store.transaction() as tx:
        written = tx.put_many([patient("p", gender="male"), patient("p", gender="female")])
        assert [each.version for each in written] == [1, 2]
        assert tx.read("Patient", "p").version == 2  # type: ignore[union-attr]
    assert ids(store, "Patient", "gender=female") == ["p"]
    assert ids(store, "Patient", "gender=male") == []


def test_a_failed_transaction_leaves_no_trace(store: Store) -> None:
    """Neither resource nor index nor journal mark stays."""

    def fail() -> None:
        with store.transaction() as tx:
            tx.put(patient("p"))
            tx.flush()
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        fail()
    assert store.read("Patient", "p") is None
    assert ids(store, "Patient", "") == []


def test_if_match_refuses_another_version(store: Store) -> None:
    """A writer with an old version is told the current one."""
    with store.transaction() as tx:
        tx.put(patient("p", active=True))
        tx.put(patient("p", active=False))
    with pytest.raises(BridgeError) as refused, store.transaction() as tx:
        tx.put(patient("p", active=True), if_match=1)
    assert refused.value.code == "FB-5001"
    assert refused.value.issues[0].details["found"] == "2"


def test_create_only_refuses_what_is_there(store: Store) -> None:
    """A create does not turn into an update."""
    with store.transaction() as tx:
        tx.put(patient("p"))
    with pytest.raises(BridgeError) as refused, store.transaction() as tx:
        tx.put(patient("p", active=True), create_only=True)
    assert refused.value.code == "FB-5002"


def test_a_deleted_resource_is_gone_from_search_and_kept_in_history(store: Store) -> None:
    """Delete writes a version; a later put makes the resource live again."""
    with store.transaction() as tx:
        tx.put(patient("p", gender="male"))
    with store.transaction() as tx:
        assert tx.delete("Patient", "p").outcome == "deleted"  # type: ignore[union-attr]
        assert tx.delete("Patient", "unknown") is None
    assert ids(store, "Patient", "gender=male") == []
    assert store.read("Patient", "p").deleted  # type: ignore[union-attr]
    with store.transaction() as tx:
        assert tx.put(patient("p", gender="male")).version == 3
    assert ids(store, "Patient", "gender=male") == ["p"]
    assert [each.deleted for each in store.history("Patient", "p").matches] == [False, True, False]


def test_thirty_two_writers_lose_no_update(store: Store) -> None:
    """Each writer adds one by read, change and conditional write; all additions are there."""
    with store.transaction() as tx:
        tx.put({"resourceType": "Basic", "id": "counter", "code": {"text": "0"}})
    failures: list[BaseException] = []

    def add_one() -> None:
        try:
            while True:
                found = store.read("Basic", "counter")
                assert found
                body = parse_json(found.body)
                body["code"] = {"text": str(int(body["code"]["text"]) + 1)}
                try:
                    with store.transaction() as tx:
                        tx.put(body, if_match=found.version)
                    return
                except BridgeError as error:
                    if error.code not in ("FB-5001", "FB-5003"):
                        raise
        except BaseException as error:
            failures.append(error)

    _all_at_once(add_one, 32)
    assert not failures
    found = store.read("Basic", "counter")
    assert found
    assert parse_json(found.body)["code"]["text"] == "32"
    assert found.version == 33


def test_writers_of_one_resource_wait_for_each_other(store: Store) -> None:
    """Without conditions every write becomes a version of its own."""
    failures: list[BaseException] = []

    def write(number: int) -> None:
        try:
            store.run(lambda tx: tx.put(patient("p", birthDate=f"19{number:02d}-01-01")))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert store.read("Patient", "p").version == 16  # type: ignore[union-attr]
    assert maintenance.check(store).issues == ()


def test_a_long_read_does_not_block_a_write(store: Store) -> None:
    """A snapshot stays as it was while a writer commits."""
    with store.transaction() as tx:
        tx.put_many([patient(f"p{number}") for number in range(3)])
    export = store.bodies("Patient")
    next(export)
    with store.transaction() as tx:
        tx.put(patient("p9"))
    assert len(list(export)) == 2
    assert len(list(store.bodies("Patient"))) == 4


def test_another_process_sees_what_was_committed(opening: Callable[..., Store]) -> None:
    """Two stores on one database share numbers, cursors and resources."""
    first, second = opening(), opening()
    with first.transaction() as tx:
        tx.put(observation("o", "p"))
    with second.transaction() as tx:
        tx.put(observation("o", "p", "2-2"))
    assert ids(first, "Observation", "code=2-2") == ["o"]
    assert first.finder.secret == second.finder.secret


def test_a_resource_needs_a_type_and_an_id(store: Store) -> None:
    """What cannot be addressed is refused."""
    with pytest.raises(BridgeError) as refused, store.transaction() as tx:
        tx.put({"resourceType": "Patient"})
    assert refused.value.code == "FB-5005"


def _all_at_once(work: Callable[[], None], count: int) -> None:
    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_a_lock_of_a_name_makes_others_wait(store: Store) -> None:
    """Two who look for the same thing and add it when it is missing add it once."""
    started, added = threading.Barrier(2), list[str]()

    def add(id_: str) -> None:
        started.wait()
        with store.transaction() as tx:
            tx.lock("Patient&identifier=a|1")
            with store.reading() as session:
                rows = session.all("SELECT id FROM resource")
            if not rows:
                time.sleep(0.05)
                tx.put(patient(id_))
                added.append(id_)

    threads = [threading.Thread(target=add, args=(id_,)) for id_ in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(added) == 1
    assert store.counts_by_type() == {"Patient": 1}

"""Statements, containers and what is awaited, as the record keeps them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fhir_bridge.errors import BridgeError
from fhir_bridge.store import ContainerRow, StatementRow, Store, resource_key

KEY = resource_key("Encounter", "e")
ROW = StatementRow(
    KEY, "hospital", 0, 7, 1_000, 1, container=11, person=12, times=b'{"nulls":["a"]}',
    body=b'{"status":{"status":"finished"}}' * 4,
)  # fmt: skip


def test_statements_come_back_as_they_were_kept_descriptions_first(store: Store) -> None:
    """A second writing of one replaces it; another source and level stand beside it."""
    mention = replace(ROW, level=1, since=3, times=None, body=None)
    other = replace(ROW, source="register", since=2, container=0, withdrawn=True)
    with store.transaction() as tx:
        tx.put_statements([ROW, mention, replace(other, at=1)])
        tx.put_statements([other])
    with store.transaction() as tx:
        assert tx.statements([KEY, 5]) == {KEY: [other, ROW, mention]}
        assert tx.parts_of([11, 99]) == [ROW, mention]
        assert tx.parts_of([0]) == []
        many = range(1_200)
        assert tx.statements(many) == {}


def test_a_transaction_that_fails_leaves_no_statement(store: Store) -> None:
    """They are written with the resources or not at all."""

    def fail() -> None:
        with store.transaction() as tx:
            tx.put_statements([ROW])
            tx.put_containers([ContainerRow(11, "hospital", 0, 0, 0, 1)])
            tx.put_awaited([(1, 2)])
            tx.put({"resourceType": "Encounter"})

    with pytest.raises(BridgeError, match="FB-5005"):
        fail()
    with store.transaction() as tx:
        assert tx.statements([KEY]) == {}
        assert tx.containers([11]) == {}
        assert tx.awaiting([1]) == []


def test_containers_of_an_export_that_it_did_not_bring_again(store: Store) -> None:
    """Those of an older message that are not taken back yet."""
    rows = [ContainerRow(key, "teams", 5, key, 1_000, key) for key in (1, 2, 3)]
    with store.transaction() as tx:
        tx.put_containers([*rows, ContainerRow(4, "teams", 6, 0, 1_000, 1)])
        tx.put_containers([replace(rows[0], withdrawn=True)])
    with store.transaction() as tx:
        assert tx.containers([1, 9]) == {1: replace(rows[0], withdrawn=True)}
        assert tx.containers_within(5, 3) == [rows[1]]


def test_what_is_awaited_is_kept_once_and_dropped_when_it_came(store: Store) -> None:
    """(target, referrer) pairs."""
    with store.transaction() as tx:
        tx.put_awaited([(1, 2), (1, 3), (4, 2)])
        tx.put_awaited([(1, 2)])
    with store.transaction() as tx:
        assert sorted(tx.awaiting([1, 9])) == [(1, 2), (1, 3)]
        tx.drop_awaited([1])
    with store.transaction() as tx:
        assert tx.awaiting([1, 4]) == [(4, 2)]


def test_versions_are_found_by_key_also_deleted_ones(store: Store) -> None:
    """What is read before a statement is made."""
    with store.transaction() as tx:
        tx.put({"resourceType": "Encounter", "id": "e", "status": "planned"})
        tx.put({"resourceType": "Encounter", "id": "e", "status": "finished"})
        tx.put({"resourceType": "Encounter", "id": "gone"})
        tx.delete("Encounter", "gone")
    with store.transaction() as tx:
        gone = resource_key("Encounter", "gone")
        newest = tx.newest([KEY, gone, 1])
        assert {key: (each.version, each.deleted) for key, each in newest.items()} == {
            KEY: (2, False), gone: (2, True),
        }  # fmt: skip
        first = tx.version("Encounter", "e", 1)
        assert first is not None
        assert b"planned" in first.body
        assert tx.version("Encounter", "e", 3) is None
        assert (tx.reference_of(KEY), tx.reference_of(1)) == ("Encounter/e", None)

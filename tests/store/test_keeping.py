"""Check, reindex, backup and restore."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from fhir_bridge.errors import BridgeError, Issue
from fhir_bridge.fhir import definitions
from fhir_bridge.journal import Message, Refusal
from fhir_bridge.search import Registry
from fhir_bridge.store import Store, maintenance, open_store
from tests.store.asking import ids, observation, patient


def test_check_finds_a_lost_index_row(store: Store) -> None:
    """A record whose index was damaged does not pass."""
    with store.transaction() as tx:
        tx.put_many([patient("p", gender="male"), observation("o", "p")])
    checked = maintenance.check(store)
    assert (checked.resources, checked.issues) == (2, ())
    with store.writing() as session:
        session.run("DELETE FROM posting WHERE row_id = 2")
    assert [each.code for each in maintenance.check(store).issues] == ["FB-5007"]


def test_check_finds_an_index_row_too_many(store: Store) -> None:
    """A row of a version that is not there is found."""
    with store.transaction() as tx:
        tx.put(patient("p"))
    with store.writing() as session:
        session.bulk("posting", ("hash", "date", "row_id"), [(1, 1, 99)])
    assert "belong to no version" in str(maintenance.check(store).issues[0])


def test_reindex_mends_the_index_and_knows_new_parameters(opening: Callable[..., Store]) -> None:
    """A site's own parameter finds what was stored before it."""
    store = opening()
    with store.transaction() as tx:
        tx.put_many([patient("p", maritalStatus={"text": "x", "coding": [{"code": "M"}]})])
    with store.writing() as session:
        session.run("DELETE FROM posting")
    own = {
        "resourceType": "SearchParameter",
        "url": "urn:own",
        "code": "marital",
        "type": "token",
        "base": ["Patient"],
        "expression": "Patient.maritalStatus",
    }
    renewed = opening(registry=Registry(definitions(), [own]))
    assert maintenance.reindex(renewed) == 1
    assert ids(renewed, "Patient", "marital=M") == ["p"]
    assert maintenance.check(renewed).issues == ()


def test_a_backup_comes_back_whole(store: Store, registry: Registry, tmp_path: Path) -> None:
    """History, journal and identity come back, into another database, and are searchable."""
    with store.transaction() as tx:
        tx.put_many([patient("p", gender="male"), observation("o", "p")])
        tx.set_identity_keys({b"\x00k": "p"})
    with store.transaction() as tx:
        tx.put(patient("p", gender="female"))
        tx.delete("Observation", "o")
    store.journal.append([Message("adt", b"\xff", "C")])
    written = maintenance.back_up(store, tmp_path / "record.backup")
    assert written.counts["resource"] == 4
    other = open_store(f"sqlite:///{tmp_path}/other.sqlite3", registry=registry)
    assert maintenance.restore(other, tmp_path / "record.backup") == written
    assert ids(other, "Patient", "gender=female") == ["p"]
    assert ids(other, "Observation", "") == []
    assert [each.body for each in other.history("Patient", "p").matches] == [
        each.body for each in store.history("Patient", "p").matches
    ]
    assert other.journal.get(1).data == b"\xff"
    assert maintenance.check(other).issues == ()
    with other.transaction() as tx:
        assert tx.put(patient("p", gender="male")).version == 3
    with pytest.raises(BridgeError):
        maintenance.restore(other, tmp_path / "record.backup")
    other.close()


def test_a_damaged_backup_is_refused(store: Store, registry: Registry, tmp_path: Path) -> None:
    """One changed letter is enough."""
    with store.transaction() as tx:
        tx.put(patient("p", gender="male"))
    maintenance.back_up(store, tmp_path / "record.backup")
    text = gzip.decompress((tmp_path / "record.backup").read_bytes()).decode()
    damaged = tmp_path / "damaged.backup"
    damaged.write_bytes(gzip.compress(text.replace('"resource", [1,', '"resource", [2,').encode()))
    other = open_store(f"sqlite:///{tmp_path}/other.sqlite3", registry=registry)
    with pytest.raises(BridgeError) as refused:
        maintenance.restore(other, damaged)
    assert refused.value.code == "FB-5008"
    assert other.counts_by_type() == {}
    other.close()


def test_a_backup_of_an_earlier_form_comes_back(
    store: Store, registry: Registry, tmp_path: Path
) -> None:
    """Rows that lack later columns get their defaults: each refusal stood for itself."""
    store.quarantine.add(Refusal(Message("adt", b"raw"), [Issue("FB-1001")]))
    now, before = tmp_path / "now.gz", tmp_path / "before.gz"
    manifest = maintenance.back_up(store, now)
    with gzip.open(now, "rt", encoding="utf-8") as file:
        (_, types), *rows, _ = map(json.loads, file)
    lines = [
        json.dumps([table, values[:-2] if table == "quarantine" else values], ensure_ascii=False)
        for table, values in rows
    ]
    digests = {table: sha256() for table in manifest.counts}
    for (table, _), line in zip(rows, lines, strict=True):
        digests[table].update(f"{line}\n".encode())
    found = {table: digest.hexdigest() for table, digest in digests.items()}
    with gzip.open(before, "wt", encoding="utf-8") as file:
        ends = {"counts": manifest.counts, "digests": found}
        for line in (json.dumps(["fhir-bridge backup 2", types]), *lines, json.dumps(ends)):
            file.write(f"{line}\n")
    other = open_store(f"sqlite:///{tmp_path}/other.sqlite3", registry=registry)
    maintenance.restore(other, before)
    items = other.quarantine.list()
    other.close()

    assert [(item.data, item.count, item.last_seen) for item in items] == [(b"raw", 1, "")]

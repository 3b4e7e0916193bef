"""The write-ahead log of SQLite may grow with the database, to a bound."""

from __future__ import annotations

from pathlib import Path

import pytest

from fhir_bridge.database import sqlite
from fhir_bridge.search import Registry
from fhir_bridge.store import open_store


def test_the_log_may_grow_with_the_database(
    tmp_path: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database larger than the least bound lets as much log gather, up to the most."""
    store = open_store(f"sqlite:///{tmp_path}/record.sqlite3", registry=registry)
    database = store.storage.database
    assert isinstance(database, sqlite.SqliteDatabase)
    size = database.path.stat().st_size
    asked = "PRAGMA wal_autocheckpoint"
    with store.writing() as session:
        least = session.all(asked)[0][0]
    monkeypatch.setattr(sqlite, "_MIN_LOG", least * 4096 * 2)
    monkeypatch.setattr(sqlite, "_MAX_LOG", least * 4096 * 3)
    with store.writing() as session:
        assert session.all(asked)[0][0] == least * 2
    monkeypatch.setattr(sqlite, "_MIN_LOG", least * 4096 * 5 + size)
    with store.writing() as session:
        assert session.all(asked)[0][0] == least * 3
    store.close()

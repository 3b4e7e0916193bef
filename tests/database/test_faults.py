"""Trouble of the storage has a name, ends by itself, and leaves no half of anything.

Real trouble: a database that may not grow, one that is locked by another program, a file that
was taken away, connections that the server ended.
"""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fhir_bridge.errors import BridgeError, Issue
from fhir_bridge.search import Registry
from fhir_bridge.store import Store, maintenance, open_store


def _basic(number: int, size: int = 10) -> dict[str, object]:
    text = "".join(chr(0x4E00 + (number * 7919 + place * 104729) % 20000) for place in range(size))
    return {"resourceType": "Basic", "id": f"b{number}", "code": {"text": text}}


def _put(store: Store, number: int, size: int = 10) -> None:
    store.run(lambda tx: tx.put(_basic(number, size)))


def _refusal(act: Callable[[], object]) -> Issue:
    with pytest.raises(BridgeError) as caught:
        act()
    return caught.value.issues[0]


@pytest.fixture
def embedded(tmp_path: Path, registry: Registry) -> Iterator[Store]:
    """An embedded database with one resource, whose trouble is tried again at once."""
    store = open_store(f"sqlite:///{tmp_path}/var/record.sqlite3", registry=registry)
    _put(store, 0)
    yield store
    store.close()


@pytest.fixture(autouse=True)
def _tried_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fhir_bridge.database.storage._TRIAL_SECONDS", 0.0)


def _writer(store: Store) -> sqlite3.Connection:
    return store.storage.database._writer.connection  # type: ignore[attr-defined]


def test_a_full_database_is_named_reads_go_on_and_room_ends_it(embedded: Store) -> None:
    """FB-5013 (507); what was kept is whole; with room again the next write is stored."""
    (pages,) = _writer(embedded).execute("PRAGMA page_count").fetchone()
    _writer(embedded).execute(f"PRAGMA max_page_count={pages}")

    issue = _refusal(lambda: [_put(embedded, number, 4000) for number in range(1, 50)])
    assert (issue.code, issue.entry.http_status) == ("FB-5013", 507)
    assert embedded.read("Basic", "b0") is not None
    trouble = embedded.storage.trouble()
    assert trouble is not None
    assert trouble.code == "FB-5013"

    _writer(embedded).execute("PRAGMA max_page_count=1000000")
    assert embedded.storage.trouble() is None, "a trial by itself, without any traffic"
    _put(embedded, 99)
    assert maintenance.check(embedded).issues == ()


def test_a_disk_without_room_is_called_so_whatever_the_database_calls_it(
    tmp_path: Path, registry: Registry
) -> None:
    """A file system of four megabytes, filled by somebody else."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "none", str(disk)],
        check=False,
        capture_output=True,
    )
    if mounted.returncode:
        pytest.skip("no right to mount a small file system here")
    store = open_store(f"sqlite:///{disk}/record.sqlite3", registry=registry)
    try:
        _put(store, 0)
        filler = disk / "filler"
        filler.write_bytes(b"x" * (shutil.disk_usage(disk).free - 4096))
        issue = _refusal(lambda: [_put(store, number, 4000) for number in range(1, 50)])
        assert issue.code == "FB-5013"
        filler.unlink()
        assert store.storage.trouble() is None
        _put(store, 1)
        assert maintenance.check(store).issues == ()
    finally:
        store.close()
        subprocess.run(["umount", str(disk)], check=False)


def test_a_database_that_may_only_be_read_is_named(embedded: Store) -> None:
    """FB-5014 (507): a mount or a standby that takes no writes."""
    _writer(embedded).execute("PRAGMA query_only=ON")
    assert _refusal(lambda: _put(embedded, 1)).code == "FB-5014"
    assert embedded.read("Basic", "b0") is not None


def test_a_lock_of_another_program_is_named_and_not_waited_for_again(
    embedded: Store, tmp_path: Path
) -> None:
    """FB-5015 (503): one time of waiting, not one for each attempt."""
    _writer(embedded).execute("PRAGMA busy_timeout=50")
    other = sqlite3.connect(tmp_path / "var" / "record.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    issue = _refusal(lambda: _put(embedded, 1))
    assert (issue.code, issue.entry.http_status) == ("FB-5015", 503)
    other.execute("ROLLBACK")
    other.close()
    _put(embedded, 1)
    assert embedded.storage.trouble() is None


@pytest.mark.parametrize("replaced", [False, True], ids=["removed", "replaced"])
def test_a_file_that_was_taken_away_takes_nothing_more(
    embedded: Store, tmp_path: Path, replaced: bool
) -> None:
    """FB-5016: what went into a file without a name would be acknowledged and lost."""
    path = tmp_path / "var" / "record.sqlite3"
    path.rename(tmp_path / "elsewhere")
    if replaced:
        path.write_bytes(b"")
    assert _refusal(lambda: _put(embedded, 1)).code == "FB-5016"
    path.unlink(missing_ok=True)
    (tmp_path / "elsewhere").rename(path)
    _put(embedded, 1)


def test_a_file_that_is_no_database_is_called_damaged(embedded: Store, tmp_path: Path) -> None:
    """FB-5017: nothing helps but a backup."""
    embedded.close()
    path = tmp_path / "var" / "record.sqlite3"
    content = bytearray(path.read_bytes())
    content[:100] = b"x" * 100
    path.write_bytes(content)
    assert _refusal(lambda: _put(embedded, 1)).code == "FB-5017"


def _pids(store: Store) -> list[int]:
    return [each.connection.info.backend_pid for each in store.storage.database._idle]  # type: ignore[attr-defined]


def _end_connections(store: Store, database: str) -> None:
    """What a restart of the server does to every connection that is kept."""
    import psycopg
    from sqlalchemy.engine import make_url

    url = make_url(database)
    pids = _pids(store)
    assert len(pids) > 1
    with psycopg.connect(
        host=url.host, port=url.port, user=url.username, dbname=url.database, autocommit=True
    ) as operator:
        for pid in pids:
            operator.execute("SELECT pg_terminate_backend(%s, 2000)", (pid,))


def _keep_several(store: Store) -> None:
    with store.reading(), store.reading(), store.reading():
        pass


@pytest.mark.postgresql
@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
@pytest.mark.parametrize("seen", [True, False], ids=["seen", "unseen"])
def test_no_read_fails_after_the_server_ended_its_connections(
    store: Store, database: str, seen: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kept connection that broke is replaced; one whose end is not seen, by a second read."""
    _put(store, 0)
    _keep_several(store)
    _end_connections(store, database)
    if not seen:  # a network that swallowed the server's last word
        monkeypatch.setattr(
            "fhir_bridge.database.postgresql.PostgresqlSession.is_whole", lambda _: True
        )
    found = [store.read("Basic", "b0") for _ in range(5)]
    assert [1] * 5 == [each.version for each in found if each is not None]


@pytest.mark.postgresql
@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_no_write_fails_after_the_server_ended_its_connections(store: Store, database: str) -> None:
    """The transaction begins on a connection that is whole."""
    _put(store, 0)
    _keep_several(store)
    _end_connections(store, database)
    _put(store, 1)
    assert store.storage.trouble() is None


@pytest.mark.postgresql
@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_server_that_takes_no_writes_is_named(store: Store) -> None:
    """FB-5014 again: a standby, or one that was set so because its disk ran full."""
    with store.storage.database.reading() as session:
        session.run("SET default_transaction_read_only = on")
    assert _refusal(lambda: _put(store, 1)).code == "FB-5014"


@pytest.mark.postgresql
@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_server_that_is_away_is_named(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """FB-5016 for reads and writes, until it answers again."""
    _put(store, 0)
    store.storage.database.release_connections()
    settings = store.storage.database._settings  # type: ignore[attr-defined]
    monkeypatch.setitem(settings, "port", 1)
    assert _refusal(lambda: store.read("Basic", "b0")).code == "FB-5016"
    assert _refusal(lambda: _put(store, 1)).code == "FB-5016"
    trouble = store.storage.trouble()
    assert trouble is not None
    monkeypatch.undo()
    monkeypatch.setattr("fhir_bridge.database.storage._TRIAL_SECONDS", 0.0)
    assert store.storage.trouble() is None
    _put(store, 1)

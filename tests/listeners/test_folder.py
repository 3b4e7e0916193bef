"""The folder watcher over real folders; time is given, never waited for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fhir_bridge.ingest import Journal, parse_feed
from fhir_bridge.listeners import FolderWatcher
from fhir_bridge.store import Store

FEED = """
title.en = "Files"
source = "public-health"
format = "table"
map = "urn:none"
[listener]
kind = "folder"
settle_seconds = 2
"""


@pytest.fixture
def watcher(store: Store, tmp_path: Path) -> FolderWatcher:
    """A watcher that is not started: tests scan by hand."""
    made = FolderWatcher([parse_feed("files", FEED)], Journal(store), tmp_path / "inbox")
    for part in ("", "done", "failed"):
        (tmp_path / "inbox" / "files" / part).mkdir(parents=True, exist_ok=True)
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the feed's files are dropped."""
    return tmp_path / "inbox" / "files"


def test_a_settled_file_is_journalled_whole_and_moved(
    store: Store, watcher: FolderWatcher, folder: Path
) -> None:
    """Seen once, still the same after the settling time: one entry, then done/."""
    (folder / "a.csv").write_bytes(b"x,y\n1,2\n")

    assert [watcher.scan(now) for now in (0.0, 1.9, 2.0)] == [0, 0, 1]
    (entry,) = store.journal.pending()
    assert (entry.data, entry.source, entry.content_type) == (b"x,y\n1,2\n", "a.csv", "text/csv")
    assert (folder / "done" / "a.csv").is_file()
    assert not (folder / "a.csv").exists()


def test_a_file_that_still_grows_is_left_alone(
    store: Store, watcher: FolderWatcher, folder: Path
) -> None:
    """Each change of size or time begins the settling anew."""
    path = folder / "a.csv"
    path.write_bytes(b"x,y\n")
    watcher.scan(0.0)
    path.write_bytes(b"x,y\n1,2\n")

    assert [watcher.scan(now) for now in (2.5, 4.0)] == [0, 0]
    assert watcher.scan(4.5) == 1
    assert store.journal.pending()[0].data == b"x,y\n1,2\n"


def test_names_of_unfinished_files_are_never_taken(
    store: Store, watcher: FolderWatcher, folder: Path
) -> None:
    """Write under such a name and rename: safe at any speed."""
    for name in (".a.csv", "a.csv.part", "a.csv.tmp", "notes.md"):
        (folder / name).write_bytes(b"x")
    watcher.scan(0.0)

    assert watcher.scan(9.0) == 0
    (folder / "a.csv.part").rename(folder / "a.csv")
    assert [watcher.scan(10.0), watcher.scan(12.0)] == [0, 1]
    assert len(store.journal.pending()) == 1


def test_the_same_file_again_is_a_repeat_and_a_new_one_keeps_both_names(
    store: Store, watcher: FolderWatcher, folder: Path
) -> None:
    """Equal bytes are one entry; done/ never loses an earlier file."""
    for content in (b"x\n1\n", b"x\n1\n", b"x\n2\n"):
        (folder / "a.csv").write_bytes(content)
        watcher.scan(0.0)
        watcher.scan(9.0)

    assert [entry.data for entry in store.journal.pending()] == [b"x\n1\n", b"x\n2\n"]
    assert len(list((folder / "done").iterdir())) == 3


def test_a_crash_after_the_journal_brings_no_second_entry(
    store: Store, watcher: FolderWatcher, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is still there after the crash; the journal knows it."""
    (folder / "a.csv").write_bytes(b"x\n1\n")
    monkeypatch.setattr(watcher, "_move", lambda path, target: None)
    watcher.scan(0.0)
    watcher.scan(3.0)
    monkeypatch.undo()
    watcher.scan(6.0)

    assert len(store.journal.pending()) == 1
    assert (folder / "done" / "a.csv").is_file()


def test_a_journal_that_is_away_leaves_the_file_where_it_is(
    store: Store, watcher: FolderWatcher, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is lost: the next scan tries again."""

    def away(arrivals: object) -> None:
        raise OSError

    (folder / "a.csv").write_bytes(b"x\n1\n")
    watcher.scan(0.0)
    monkeypatch.setattr(watcher._journal, "append", away)

    assert watcher.scan(3.0) == 0
    monkeypatch.undo()
    assert watcher.scan(4.0) == 1


def test_a_file_beyond_the_limit_moves_to_failed_with_a_reason(
    store: Store, watcher: FolderWatcher, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stops no other file."""
    monkeypatch.setattr("fhir_bridge.listeners.folder.LARGEST_FILE", 10)
    (folder / "a.csv").write_bytes(b"x" * 11)
    (folder / "b.csv").write_bytes(b"x")
    watcher.scan(0.0)

    assert watcher.scan(3.0) == 1
    assert (folder / "failed" / "a.csv").is_file()
    assert [item.issues[0].code for item in store.quarantine.list()] == ["FB-6103"]


def test_start_makes_the_folders_and_stop_ends_the_watch(store: Store, tmp_path: Path) -> None:
    """A folder of its own may be named by the feed."""
    own = tmp_path / "own"
    feed = parse_feed("files", FEED.replace("settle_seconds = 2", f'folder = "{own}"'))
    watcher = FolderWatcher([feed], Journal(store), tmp_path / "inbox")
    watcher.start()
    watcher.stop()

    assert sorted(os.listdir(own)) == ["done", "failed"]  # noqa: PTH208
    assert watcher.folders == {"files": own}

"""The folder watcher over real folders; time is given, never waited for."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from fhir_bridge.ingest import Intake, parse_feed
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
    made = FolderWatcher([parse_feed("files", FEED)], Intake(store), tmp_path / "inbox")
    for part in ("", "done", "failed"):
        (tmp_path / "inbox" / "files" / part).mkdir(parents=True, exist_ok=True)
    return made


def _codes(watcher: FolderWatcher, feed: str = "files") -> list[str]:
    return [issue.code for issue in watcher.conditions[feed]]


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
    (inbox,) = watcher._inboxes
    monkeypatch.setattr(inbox, "_move", lambda path, target: None)
    watcher.scan(0.0)
    watcher.scan(3.0)
    monkeypatch.undo()
    inbox._kept.clear()  # what a crash forgets
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
    monkeypatch.setattr(watcher._inboxes[0]._intake, "append", away)

    assert watcher.scan(3.0) == 0
    assert _codes(watcher) == ["FB-6101"]
    monkeypatch.undo()
    assert watcher.scan(4.0) == 1
    assert _codes(watcher) == []


def test_a_file_beyond_the_limit_moves_to_failed_with_a_reason(
    store: Store, watcher: FolderWatcher, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stops no other file."""
    monkeypatch.setattr("fhir_bridge.listeners.inbox.MAX_FILE_BYTES", 10)
    (folder / "a.csv").write_bytes(b"x" * 11)
    (folder / "b.csv").write_bytes(b"x")
    (folder / "c.csv").write_bytes(b"y" * 12)
    watcher.scan(0.0)

    assert watcher.scan(3.0) == 1
    assert (folder / "failed" / "a.csv").is_file()
    refused = [(item.source, item.issues[0].code) for item in store.quarantine.list()]
    assert sorted(refused) == [("a.csv", "FB-6103"), ("c.csv", "FB-6103")]


def test_start_makes_the_folders_and_stop_ends_the_watch(store: Store, tmp_path: Path) -> None:
    """A folder of its own may be named by the feed."""
    own = tmp_path / "own"
    feed = parse_feed("files", FEED.replace("settle_seconds = 2", f'folder = "{own}"'))
    watcher = FolderWatcher([feed], Intake(store), tmp_path / "inbox")
    watcher.start()
    watcher.stop()

    assert sorted(os.listdir(own)) == ["done", "failed"]  # noqa: PTH208
    assert watcher.folders == {"files": own}


@pytest.fixture
def two(store: Store, tmp_path: Path) -> FolderWatcher:
    """Two feeds: one in a folder of the site's own, which may be gone, one in ours."""
    named = FEED.replace("settle_seconds = 2", f'folder = "{tmp_path}/share"\nsettle_seconds = 0')
    feeds = [parse_feed("named", named), parse_feed("ours", FEED.replace("= 2", "= 0"))]
    made = FolderWatcher(feeds, Intake(store), tmp_path / "inbox")
    for inbox in made._inboxes:
        inbox.make()
    return made


def test_a_missing_folder_stops_its_own_feed_alone_and_is_said(
    store: Store, two: FolderWatcher, tmp_path: Path
) -> None:
    """The other's files are taken; a folder that comes back is read again by itself."""
    (tmp_path / "share").rename(tmp_path / "away")
    (tmp_path / "inbox" / "ours" / "a.csv").write_bytes(b"x\n1\n")

    assert two.scan(0.0) == 1
    assert (_codes(two, "named"), _codes(two, "ours")) == (["FB-6111"], [])
    (tmp_path / "away" / "b.csv").write_bytes(b"x\n2\n")
    (tmp_path / "away").rename(tmp_path / "share")
    assert two.scan(1.0) == 1
    assert _codes(two, "named") == []
    assert len(store.journal.pending()) == 2


def test_a_folder_of_ours_is_made_again(two: FolderWatcher, tmp_path: Path) -> None:
    """Under the data folder nobody mounts anything: there is no doubt what should stand there."""
    for part in ("done", "failed", ""):
        (tmp_path / "inbox" / "ours" / part).rmdir()
    two.scan(0.0)
    assert (tmp_path / "inbox" / "ours" / "done").is_dir()
    assert _codes(two, "ours") == []


def test_a_folder_that_is_a_file_is_said(two: FolderWatcher, tmp_path: Path) -> None:
    """Whatever else keeps a folder from being looked into has a line too."""
    (tmp_path / "share").rename(tmp_path / "away")
    (tmp_path / "share").write_bytes(b"")
    two.scan(0.0)
    assert _codes(two, "named") == ["FB-6112"]


def test_a_missing_done_is_made_and_one_that_cannot_be_made_reads_nothing_twice(
    store: Store, two: FolderWatcher, tmp_path: Path
) -> None:
    """The file is taken once, lies where it is, and the line says that it cannot be moved."""
    folder = tmp_path / "share"
    (folder / "done").rmdir()
    (folder / "a.csv").write_bytes(b"x\n1\n")
    assert two.scan(0.0) == 1
    assert (folder / "done" / "a.csv").is_file()

    (folder / "done").rename(folder / "old")
    (folder / "done").write_bytes(b"a file in its place")
    (folder / "b.csv").write_bytes(b"x\n2\n")
    assert [two.scan(now) for now in (1.0, 2.0, 3.0)] == [1, 0, 0]
    assert "FB-6113" in _codes(two, "named")
    assert len(store.journal.pending()) == 2
    (folder / "done").unlink()
    two.scan(4.0)
    assert (folder / "done" / "b.csv").is_file()
    assert "FB-6113" not in _codes(two, "named")


@pytest.mark.parametrize("charset", ["gb18030", "utf-8"])
def test_a_name_in_the_bytes_of_its_system_is_taken_and_read(
    store: Store, two: FolderWatcher, tmp_path: Path, charset: str
) -> None:
    """GBK names of Chinese systems: the pattern fits, the source is readable, done/ has the bytes."""
    name = "居民档案.CSV".encode(charset)
    folder = os.fsencode(tmp_path / "share")
    with open(os.path.join(folder, name), "wb") as file:  # noqa: PTH118, PTH123 - bytes of a name
        file.write(b"x\n1\n")
    assert two.scan(0.0) == 1
    (entry,) = store.journal.pending()
    assert (entry.source, entry.content_type) == ("居民档案.CSV", "text/csv")
    assert name in os.listdir(os.path.join(folder, b"done"))  # noqa: PTH118, PTH208


def test_a_name_in_no_character_set_is_taken_too(
    store: Store, two: FolderWatcher, tmp_path: Path
) -> None:
    """Bytes that say nothing are shown escaped; controls are not shown."""
    folder = os.fsencode(tmp_path / "share")
    for name in (b"\xff\xff.csv", b"a\nb.csv"):
        with open(os.path.join(folder, name), "wb") as file:  # noqa: PTH118, PTH123
            file.write(b"x\n" + name)
    assert two.scan(0.0) == 2
    assert {e.source for e in store.journal.pending()} == {"\\xff\\xff.csv", "a\ufffdb.csv"}


def test_what_is_never_taken_is_counted_and_said(
    store: Store, two: FolderWatcher, tmp_path: Path
) -> None:
    """Files that fit no pattern, folders, links, unfinished files of yesterday; none is followed."""
    folder = tmp_path / "share"
    (tmp_path / "secret.csv").write_bytes(b"not for you")
    (folder / "link.csv").symlink_to(tmp_path / "secret.csv")
    (folder / "notes.docx").write_bytes(b"x")
    (folder / "2026-11").mkdir()
    os.mkfifo(folder / "pipe.csv")
    (folder / "old.csv.part").write_bytes(b"x")
    (folder / "new.csv.part").write_bytes(b"x")
    os.utime(folder / "old.csv.part", (1, 1))

    assert two.scan(0.0) == 0
    found = {issue.code: issue for issue in two.conditions["named"]}
    counts = {code: issue.details["count"] for code, issue in found.items()}
    assert counts == {"FB-6114": "3", "FB-6115": "1", "FB-6116": "1"}
    assert {issue.severity for issue in found.values()} == {"warning"}
    assert "*.csv" in found["FB-6114"].sentence
    assert (folder / "link.csv").is_symlink()
    assert store.journal.pending() == []
    assert not two.waiting()


def test_a_link_that_takes_the_place_of_a_file_is_not_followed(
    store: Store, two: FolderWatcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look and the reading."""
    secret, path = tmp_path / "secret.csv", tmp_path / "share" / "a.csv"
    secret.write_bytes(b"not for you")
    path.write_bytes(b"not for you")
    named = two._inboxes[0]
    original = named._settled

    def swapped(each: Path, now: float) -> bool:
        settled = original(each, now)
        each.unlink()
        each.symlink_to(secret)
        return settled

    monkeypatch.setattr(named, "_settled", swapped)
    assert named.look(0.0) == 0
    assert store.journal.pending() == []


def test_a_share_that_hangs_holds_up_nobody_and_is_said(
    store: Store, two: FolderWatcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its line says for how long; the other feed's file is taken; stopping does not wait for it."""
    hanging, let_go = two._inboxes[0], threading.Event()
    monkeypatch.setattr(hanging, "_look", lambda now: (let_go.wait(20), ((), 0))[1])
    monkeypatch.setattr("fhir_bridge.listeners.inbox._SILENT_SECONDS", 0.2)
    (tmp_path / "inbox" / "ours" / "a.csv").write_bytes(b"x\n1\n")
    two.start()
    try:
        until = time.monotonic() + 10
        while not (store.journal.pending() and _codes(two, "named")):
            assert time.monotonic() < until
            time.sleep(0.02)
        assert _codes(two, "named") == ["FB-6117"]
        began = time.monotonic()
        two.stop(0.3)
        assert time.monotonic() - began < 2
    finally:
        let_go.set()

"""A message that ends the process is tried alone and then set aside; the others are recorded."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fhir_bridge.ingest import pipeline_issues
from fhir_bridge.ingest.attempts import Attempts
from fhir_bridge.journal import Message
from tests.ingest.conftest import Site, adt, make_site

ROOT = Path(__file__).parents[2]


def _journal(site: Site, *names: str) -> list[int]:
    arrivals = [
        Message("his", adt(f"P{n}", name, f"V{n}").encode(), f"M{n}")
        for n, name in enumerate(names)
    ]
    return [each.message_id for each in site.journal.append(arrivals)]


def _run(database: Path, *how: str) -> int:
    command = [sys.executable, "-m", "tests.ingest.poison_site", str(database), *how]
    return subprocess.run(command, cwd=ROOT, check=False, stderr=subprocess.DEVNULL).returncode


@pytest.mark.parametrize(("how", "code"), [("kill", -signal.SIGKILL), ("memory", 1)])
def test_what_kills_the_process_is_set_aside_the_third_time(
    tmp_path: Path, how: str, code: int
) -> None:
    """In company, then alone, then not again; an operator sees it in between."""
    database = tmp_path / "record.sqlite3"
    site = make_site(database)
    before, poison, after = _journal(site, "before", "POISON", "after")

    ends = [_run(database, how, "kept")]
    assert site.resources("Patient") == []
    ends.append(_run(database, how, "kept"))
    assert [site.store.journal.get(m).status for m in (before, poison, after)] == [
        "done",
        "pending",
        "pending",
    ]
    assert [(m.message_id, m.times) for m in site.store.at_work.messages()] == [(poison, 2)]
    assert list(site.store.at_work.holders().values()) == [{poison: 2, after: 1}]
    assert [issue.code for issue in pipeline_issues(site.store)] == ["FB-6024"]
    ends.append(_run(database, how, "kept"))

    assert ends == [code, code, 0]
    (item,) = site.store.quarantine.list()
    assert (item.message_id, item.issues[0].code) == (poison, "FB-6021")
    assert len(site.resources("Encounter")) == 2
    assert site.store.at_work.messages() == []
    site.store.close()


def test_where_nobody_keeps_the_process_one_more_end_is_allowed(tmp_path: Path) -> None:
    """It may have been the machine's: what was killed twice by hand is recorded."""
    database = tmp_path / "record.sqlite3"
    site = make_site(database)
    (poison,) = _journal(site, "POISON")

    ends = [_run(database, "kill") for _ in range(4)]

    assert [end == 0 for end in ends] == [False, False, False, True]
    assert [item.message_id for item in site.store.quarantine.list()] == [poison]
    site.store.close()


def test_a_service_that_is_ended_as_a_whole_is_no_fault_of_a_message(site: Site) -> None:
    """However often: worker and keeper are both gone."""
    (message,) = _journal(site, "one")
    for ended in range(4):
        site.store.at_work.begin(f"elsewhere {ended} 1 {ended}:1 x", {message: 1})
        worker = Attempts(site.store)
        worker.kept()
        assert [each.message_id for each in worker.next(10)] == [message]
        assert [each.times for each in site.store.at_work.messages()] == [1]
        worker.end()


def test_memory_that_gives_out_is_counted_although_the_process_goes_on(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread of the service takes the others up; no innocent message is refused."""
    transform = site.pipeline._transformer.transform

    def hungry(record, feed):
        if b"POISON" in record.data:
            raise MemoryError
        return transform(record, feed)

    monkeypatch.setattr(site.pipeline._transformer, "transform", hungry)
    _journal(site, "before", "POISON", "after")
    site.pipeline.start()
    while site.store.journal.has_pending():
        time.sleep(0.05)
    site.pipeline.stop()

    assert [item.issues[0].code for item in site.store.quarantine.list()] == ["FB-6021"]
    assert len(site.resources("Encounter")) == 2
    assert site.store.at_work.holders() == {}


def test_a_database_that_fails_is_no_fault_of_the_message(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tried again and again by the same process, it is begun once."""
    (message,) = _journal(site, "one")
    with monkeypatch.context() as failing:
        failing.setattr(site.pipeline._recorder, "record", lambda _: 1 / 0)
        for _ in range(4):
            with pytest.raises(ZeroDivisionError):
                site.pipeline.drain()
    assert [each.times for each in site.store.at_work.messages()] == [1]
    site.pipeline.drain()

    assert site.store.journal.get(message).status == "done"


def test_what_another_running_process_works_on_is_not_counted(site: Site) -> None:
    """A command beside the service is no crash."""
    _journal(site, "one", "two")
    service, command = Attempts(site.store), Attempts(site.store)
    assert len(service.next(10)) == 2
    assert len(command.next(10)) == 2

    assert {each.times for each in site.store.at_work.messages()} == {1}
    service.end()
    assert len(site.store.at_work.holders()) == 1


def test_a_message_that_was_set_aside_can_be_tried_again(site: Site) -> None:
    """A replay begins to count anew."""
    (message,) = _journal(site, "one")
    site.store.at_work.begin("elsewhere 1 1 - x", {message: 3})
    site.pipeline.drain()
    (item,) = site.store.quarantine.list()
    site.store.quarantine.release(item.item_id)
    site.pipeline.drain()

    assert item.issues[0].code == "FB-6021"
    assert site.store.journal.get(message).status == "done"


def test_work_on_a_file_ends_between_two_commits_when_the_service_stops(site: Site) -> None:
    """The rest comes again at the next start, and the file is not counted as a danger."""
    rows = "\n".join(f"{n},name {n},1970-01-01," for n in range(300))
    site.journal.append([Message("register", f"number,name,born,id\n{rows}\n".encode())])
    record = site.pipeline._recorder.record

    def stopping(works):
        record(works)
        site.pipeline._stopping.set()

    site.pipeline._recorder.record = stopping
    site.pipeline.run()

    assert len(site.resources("Patient")) == 50
    assert site.store.journal.has_pending()
    assert site.store.at_work.holders() == {}

"""From lines to AuditEvents: each once, whatever happens in between; and the chain over them."""

import sqlite3
from datetime import timedelta

import pytest

from fhir_bridge import clock
from fhir_bridge.audit import AccessLog, AuditKeeper, verify
from fhir_bridge.database import milliseconds
from tests.api.world import BASE
from tests.audit.building import record


def _faults(watched):
    return [fault for day in verify(watched.world.store) for fault in day.faults]


def _change(watched, sql, *values):
    with watched.world.store.storage.writing() as session:
        assert session.run(sql, values) == 1


def test_a_line_becomes_an_event_for_each_patient(watched):
    """One compact line, three events."""
    watched.world.access_log.append(record("search-type", id="", patients=("p", "q", "r")))

    assert len(watched.events()) == 3
    assert len(watched.events()) == 3


def test_a_file_is_removed_when_it_is_told_whole_and_grows_no_more(watched):
    """While it grows it stays, and is read on from where it was."""
    log = watched.world.access_log
    log.append(record())
    watched.keeper.work()
    assert len(list(watched.folder.glob("*.log"))) == 1
    log.append(record(id="o2"))
    log.close()

    assert len(watched.events()) == 2
    assert list(watched.folder.glob("*.log")) == []


def test_a_keeper_that_was_killed_is_followed_by_one_that_begins_anew(watched):
    """What was made an event before is the same event again."""
    log = watched.world.access_log
    for number in range(5):
        log.append(record(id=f"o{number}"))
    watched.keeper.work()
    log.append(record(id="o5"))
    watched.keeper = AuditKeeper(watched.world.store, watched.folder, BASE, 6)

    assert len(watched.events()) == 6


def test_several_processes_write_at_once(watched):
    """Each has a file; a kept event belongs to one of them."""
    others = [AccessLog(watched.folder) for _ in range(3)]
    for number in range(9):
        others[number % 3].append(record(id=f"o{number}"))

    assert len(watched.events()) == 9


def test_who_is_meant_by_a_part_of_a_resource_is_looked_up(watched):
    """The answer showed no subject; the record knows whose it is."""
    watched.world.access_log.append(
        record(patients=(), unresolved=("Observation/o", "Patient/q", "Observation/gone"))
    )
    named = sorted(str(event["entity"]) for event in watched.events())

    assert len(named) == 2
    assert "Patient/p" in named[0]
    assert "Patient/q" in named[1]


@pytest.fixture
def chained(watched):
    """Four events with their links."""
    for number in range(4):
        watched.world.access_log.append(record(id=f"o{number}"))
    watched.keeper.work()
    assert _faults(watched) == []
    return watched


def test_the_chain_tells_each_day(chained):
    """Its count and the digest of its last link."""
    [day] = verify(chained.world.store)

    assert (day.day, day.count, len(day.head)) == (clock.now().date().isoformat(), 4, 64)


def test_an_event_that_was_changed_is_found(chained):
    """One byte is enough, and it is named."""
    victim = chained.events()[1]["id"]
    _change(
        chained,
        "UPDATE resource SET compressed = 0, body = ? WHERE id = ?",
        b'{"resourceType":"AuditEvent"}',
        victim,
    )

    assert _faults(chained) == [victim]


@pytest.mark.parametrize("which", [0, 1, 3])
def test_an_event_that_is_gone_is_found(chained, which):
    """The first, one in the middle, the last."""
    victim = chained.events()[which]["id"]
    _change(chained, "DELETE FROM resource WHERE id = ?", victim)

    assert _faults(chained) == [f"link {which + 1}"]


def test_an_event_that_is_gone_with_its_link_is_found(chained):
    """The links around it do not fit."""
    victim = chained.events()[1]["id"]
    _change(
        chained,
        "DELETE FROM audit_link WHERE row_id = (SELECT row_id FROM resource WHERE id = ?)",
        victim,
    )
    _change(chained, "DELETE FROM resource WHERE id = ?", victim)

    assert len(_faults(chained)) == 1


def test_an_event_that_was_put_in_past_the_service_has_no_link(chained):
    """Until the keeper comes by; its link then stands at its own time."""
    chained.put({"resourceType": "AuditEvent", "id": "x"})

    assert _faults(chained) == ["x"]
    chained.keeper._linked -= 2
    chained.keeper.work()
    assert _faults(chained) == []


def test_events_are_kept_for_the_years_that_are_set(chained):
    """Then they leave with their index rows, and the chain goes on from where they were."""
    links = chained.world.store.audit_links
    assert links.drop(milliseconds(clock.now() - timedelta(days=1))) == 0
    while links.drop(milliseconds(clock.now() + timedelta(days=1)), limit=3):
        pass
    assert chained.events() == []
    chained.world.access_log.append(record(id="later"))
    [event] = chained.events()
    days = list(verify(chained.world.store))

    assert [day.faults for day in days] == [()]
    assert days[0].ends_early
    assert (days[0].count, event["entity"][0]["what"]["reference"]) == (1, "Observation/later")
    with sqlite3.connect(chained.folder.parent / "record.sqlite3") as database:
        rows = "SELECT count(*) FROM posting WHERE row_id NOT IN (SELECT row_id FROM resource)"
        assert database.execute(rows).fetchone() == (0,)

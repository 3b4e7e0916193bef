"""The commands about who looked: verify the chain, review emergencies."""

import pytest

from fhir_bridge.app import build
from fhir_bridge.audit import Agent, break_glass
from fhir_bridge.config import load_settings


@pytest.fixture
def store(tmp_path):
    """The record of the commands' data folder with one broken glass, whose event is linked."""
    services = build(load_settings({}, data=tmp_path / "var"))
    with services.store.transaction() as opened:
        opened.put({"resourceType": "Patient", "id": "p"})
    agent = Agent(account="a1", practitioner="dr", purpose="BTG", reason="unconscious in the ward")
    break_glass(services.store, agent, "p", "http://x")
    services.store.audit_links.add_missing()
    yield services.store
    services.store.close()


def test_audit_verify_prints_the_days_and_finds_what_was_changed(run, store):
    """0 and the digest; 1 and the event."""
    sound = run("audit", "verify")
    with store.storage.writing() as session:
        session.run("UPDATE resource SET compressed = 0, body = ? WHERE id <> 'p'", (b"{}",))
    changed = run("audit", "verify")

    assert (sound.code, sound.lines[0]["count"], len(sound.lines[0]["head"])) == (0, 1, 64)
    assert (changed.code, len(changed.lines[0]["faults"])) == (1, 1)


def test_an_emergency_waits_until_another_person_closes_it(run, store):
    """1 while it waits, 0 after that."""
    waiting = run("emergency", "list")
    number = waiting.lines[0]["number"]
    refused = run("emergency", "close", number, "--by", "a1", "--note", "x")
    closed = run("emergency", "close", number, "--by", "officer", "--note", "justified")

    assert (waiting.code, refused.code, closed.code) == (1, 1, 0)
    assert "FB-4208" in refused.err
    assert store.emergencies.list() == []
    assert run("emergency", "list").code == 0

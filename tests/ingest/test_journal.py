"""The journal's door."""

from __future__ import annotations

from fhir_bridge.errors import Issue
from fhir_bridge.ingest import Intake
from fhir_bridge.journal import Message
from tests.ingest.conftest import Site


def test_a_repeat_is_known_and_wakes_nobody(site: Site) -> None:
    """Feed, control id and content make a message; the pipeline hears of new ones only."""
    woken: list[int] = []
    journal = Intake(site.store, lambda: woken.append(1))
    first, again = (journal.append([Message("his", b"x", "M1")])[0] for _ in range(2))
    other = journal.append([Message("his", b"y", "M1")])[0]

    assert (first.repeated, again.repeated, other.repeated) == (False, True, False)
    assert first.message_id == again.message_id != other.message_id
    assert len(woken) == 2


def test_what_is_refused_again_and_again_rests_once(site: Site) -> None:
    """A sender that never gives up does not fill the quarantine; it is counted."""
    for _ in range(3):
        site.journal.refuse(Message("his", b"bad"), [Issue("FB-1101")])
    site.journal.refuse(Message("other", b"bad"), [Issue("FB-1101")])

    site.journal.count_refusals(now=True)
    found = [(item.feed, item.count) for item in site.store.quarantine.list()]
    assert found == [("other", 1), ("his", 3)]

"""Breaking the glass: a reason, one patient, two hours, at once in the log, reviewed by another."""

from dataclasses import replace
from datetime import timedelta

import pytest

from fhir_bridge import clock
from fhir_bridge.audit import break_glass, close_review
from fhir_bridge.database import milliseconds
from fhir_bridge.errors import BridgeError
from tests.api.world import BASE
from tests.audit.building import DOCTOR

HERE = replace(DOCTOR, purpose="BTG", reason="unconscious, no relative reached")


def _at(moment):
    return milliseconds(moment)


def test_one_record_is_open_for_two_hours(watched):
    """To the account that broke the glass, and to nobody else; then it is closed by itself."""
    store, now = watched.world.store, clock.now()
    begun = break_glass(store, HERE, "p", BASE)

    assert begun.until - begun.at == 2 * 3600 * 1000
    assert set(store.emergencies.open_to("a1", _at(now + timedelta(minutes=119)))) == {"p"}
    assert store.emergencies.open_to("a1", _at(now + timedelta(minutes=121))) == {}
    assert store.emergencies.open_to("a2", _at(now + timedelta(minutes=1))) == {}


def test_the_resident_sees_it_at_once(watched):
    """The event is in the record before anything is shown, with the reason."""
    break_glass(watched.world.store, HERE, "p", BASE)
    [event] = watched.world.client().get("/fhir/AuditEvent?patient=p").json["entry"]

    assert event["resource"]["subtype"][0]["code"] == "110127"
    assert event["resource"]["purposeOfEvent"][0]["text"] == HERE.reason


@pytest.mark.parametrize(
    ("agent", "patient", "code"),
    [
        (replace(HERE, reason="  urgent  "), "p", "FB-4207"),
        (replace(HERE, reason="x" * 501), "p", "FB-4207"),
        (replace(HERE, practitioner=""), "p", "FB-4207"),
        (replace(HERE, account=""), "p", "FB-4207"),
        (HERE, "nobody", "FB-4001"),
    ],
)
def test_without_a_reason_a_clinician_and_a_patient_nothing_opens(watched, agent, patient, code):
    """And nothing is on the list."""
    with pytest.raises(BridgeError) as refused:
        break_glass(watched.world.store, agent, patient, BASE)

    assert refused.value.code == code
    assert watched.world.store.emergencies.list(closed=True) == []


def test_another_person_closes_the_review(watched):
    """Not the clinician, not without a finding, and only once; it stays on the whole list."""
    store = watched.world.store
    number = break_glass(store, HERE, "p", BASE).number
    for by, note in (("a1", "fine"), ("", "fine"), ("officer", " ")):
        with pytest.raises(BridgeError, match="FB-4208"):
            close_review(store, number, by, note)
    assert [each.number for each in store.emergencies.list()] == [number]
    closed = close_review(store, number, "officer", "justified")
    with pytest.raises(BridgeError, match="FB-5205"):
        close_review(store, number, "officer", "again")

    assert (closed.closed_by, closed.note) == ("officer", "justified")
    assert store.emergencies.list() == []
    assert [each.number for each in store.emergencies.list(closed=True, patient_id="p")] == [number]

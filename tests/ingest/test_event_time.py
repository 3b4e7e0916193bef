"""An event time that nobody can know yet counts as of the receipt."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from fhir_bridge.update import UpdateRules

from .speaking import RECEIVED, Record, entry


def named(family: str) -> dict[str, object]:
    """A statement of the name of patient 1."""
    return entry(
        "Patient",
        identifier=[{"system": "urn:p", "value": "1"}],
        name=[{"use": "official", "family": family}],
    )


def after_receipt(hours: float) -> str:
    """A time so many hours after the time at which the tests receive."""
    return (datetime.fromtimestamp(RECEIVED / 1000, UTC) + timedelta(hours=hours)).isoformat()


@pytest.mark.parametrize("hours", [25, 24 * 366, 24 * 365 * 60])
def test_a_wrong_clock_does_not_win_over_what_is_said_later(record: Record, hours: float) -> None:
    """The message with the mistyped year is warned of, and the next one replaces what it said."""
    told = record.say(named("Early"), at=after_receipt(hours))
    assert [(issue.code, issue.severity) for issue in told.issues] == [("FB-6317", "warning")]
    assert not record.say(named("Late"), at=after_receipt(1)).issues
    (name,) = record.one("Patient")["name"]
    assert name["family"] == "Late"


def test_a_clock_some_hours_ahead_is_believed(record: Record) -> None:
    """Zones and slow clocks differ by hours; their order is kept."""
    assert not record.say(named("Later"), at=after_receipt(20)).issues
    assert not record.say(named("Earlier"), at=after_receipt(1)).issues
    (name,) = record.one("Patient")["name"]
    assert name["family"] == "Later"


def test_a_message_from_the_future_stands_where_it_was_received(record: Record) -> None:
    """Worked on again after a newer one, it changes nothing."""
    record.say(named("Wrong"), at=after_receipt(24 * 365))
    record.say(named("Right"), at=after_receipt(1))
    record.resolver.forget(everything=True)
    record.say(named("Wrong"), at=after_receipt(24 * 365), again=1)
    (name,) = record.one("Patient")["name"]
    assert name["family"] == "Right"


def test_the_site_says_how_far_ahead_is_too_far() -> None:
    """A day, where the file says nothing."""
    assert UpdateRules().ahead_hours == 24

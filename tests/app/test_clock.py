"""Time and identifiers from one door."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_bridge import clock
from fhir_bridge.fhir import parse_reference

MOMENT = datetime(2026, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC)


def test_an_instant_has_milliseconds_and_is_utc():
    """Cut, not rounded: an instant never lies in the future."""
    shanghai = MOMENT.astimezone(timezone(timedelta(hours=8)))

    assert "2026-01-02T03:04:05.678Z" == clock.instant(MOMENT) == clock.instant(shanghai)


def test_a_given_moment_holds_within_its_block_and_thread():
    """What other threads are told does not change; blocks nest."""
    elsewhere = []
    with clock.at(MOMENT):
        thread = Thread(target=lambda: elsewhere.append(clock.now()))
        thread.start()
        thread.join()
        with clock.at(MOMENT + timedelta(days=1)):
            assert MOMENT + timedelta(days=1) == clock.now()
        assert MOMENT == clock.now()

    assert MOMENT not in (clock.now(), *elsewhere)
    assert UTC == clock.now().tzinfo


@given(st.lists(st.text(), min_size=1), st.lists(st.text(), min_size=1))
def test_a_named_id_is_the_same_for_the_same_parts_only(parts, others):
    """And fits FHIR's id, whatever the parts."""
    assert clock.stable_id(*parts) == clock.stable_id(*parts)
    assert re.fullmatch(r"[A-Za-z0-9\-.]{1,64}", clock.stable_id(*parts))
    if all("\x1f" not in part for part in parts + others):
        assert (parts == others) == (clock.stable_id(*parts) == clock.stable_id(*others))


@pytest.fixture
def naming_key():
    """Sets the key of the record; the one before comes back at the end."""
    before = clock._naming_key
    yield clock.set_id_key
    clock.set_id_key(before)


def test_named_ids_do_not_change_between_releases(naming_key):
    """A resend after an upgrade must meet the resource of before."""
    naming_key(b"k" * 32)

    assert "bf568ac6-66ad-8965-9e3f-c208b9323430" == clock.stable_id("feed", "Patient", "1")


def test_an_id_tells_nothing_without_the_key_of_the_record(naming_key):
    """Two records name the same person differently, so that no id can be guessed from a number."""
    made = set()
    for key in (b"", b"k" * 32, b"l" * 32):
        naming_key(key)
        made.add(clock.stable_id("Patient", "42980219560304212X"))

    assert 3 == len(made)


def test_fresh_ids_differ_and_fit_a_reference():
    """Random, 36 characters."""
    made = {clock.fresh_id() for _ in range(1000)}

    assert 1000 == len(made)
    assert all(parse_reference(f"Patient/{one}").id == one for one in made)

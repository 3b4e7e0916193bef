"""The clock of a machine may be set back; the record's order may not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from fhir_bridge import clock
from fhir_bridge.store import Store
from tests.store.asking import ask, patient

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_a_version_is_never_older_than_the_one_before(store: Store) -> None:
    """Written after the clock went back an hour, it has the time of its predecessor."""
    with clock.at(NOON), store.transaction() as tx:
        tx.put(patient("a", gender="male"))
    with clock.at(NOON - timedelta(hours=1)):
        with store.transaction() as tx:
            tx.put(patient("a", gender="female"))
        (found,) = ask(store, "Patient", "gender=female").matches

    assert (found.version, found.last_updated) == (2, clock.instant(NOON))

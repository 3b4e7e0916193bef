"""The record stays true when the next message comes, whatever it is: generated histories."""

from __future__ import annotations

import os

import pytest

from tests.histories.clauses import CLAUSES
from tests.histories.events import CLASSES
from tests.histories.playing import play
from tests.histories.proving import Noticed, noticed

SEEDS = range(300)
ON_POSTGRESQL = range(1_000, 1_012)


def test_the_record_equals_the_model_after_every_event(capsys):
    """Persons, visits, orders, documents, results, appointments, agreements; seeds 0 to 299."""
    played = play(SEEDS)
    with capsys.disabled():
        print(f"\nseeds {SEEDS.start} to {SEEDS.stop - 1}: {played.coverage}")

    assert "" == "\n".join(played.failed.values())
    assert {each for pair in played.coverage.pairs for each in pair} == set(CLASSES)


@pytest.mark.postgresql
def test_the_record_equals_the_model_on_postgresql_too():
    """Some of them on the other database."""
    server = os.environ.get("FHIR_BRIDGE_TEST_POSTGRESQL")
    if not server:
        pytest.skip("no PostgreSQL (set FHIR_BRIDGE_TEST_POSTGRESQL)")

    assert "" == "\n".join(play(ON_POSTGRESQL, postgresql=server).failed.values())


@pytest.fixture(scope="module")
def shown() -> dict[str, Noticed]:
    """After how many histories each clause was missed when it was switched off."""
    return noticed(list(CLAUSES), len(SEEDS))


@pytest.mark.parametrize("name", CLAUSES)
def test_a_clause_that_is_switched_off_is_missed(shown, name):
    """Within 300 histories the record stops being true: the test above would notice."""
    count, _, wrong = shown[name]

    assert 0 < count <= len(SEEDS), f"{CLAUSES[name].words} Nothing fails without it."
    assert wrong

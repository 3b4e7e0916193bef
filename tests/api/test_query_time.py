"""A query that takes too long ends with a coded error, on both databases."""

from __future__ import annotations

import time

import pytest

from fhir_bridge.errors import BridgeError
from fhir_bridge.store import Store
from tests.api.test_resources import PATIENT
from tests.api.world import World

_LONG = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {}) SELECT count(*) FROM n"
_ENDLESS = _LONG.format(100_000_000)


@pytest.fixture
def world(either: World) -> World:
    """A server whose queries may take a tenth of a second."""
    either.store.storage.database._query_seconds = 0.1  # type: ignore[attr-defined]
    return either


def code_of(error: pytest.ExceptionInfo[BridgeError]) -> tuple[str, int]:
    """Catalogue code and HTTP status."""
    return error.value.code, error.value.entry.http_status


def test_a_late_query_is_ended_and_the_store_goes_on(world: World) -> None:
    """FB-5011 (503) with what to do; the next query is answered."""
    with pytest.raises(BridgeError) as error, world.store.reading(limited=True) as session:
        session.all(_ENDLESS)
    assert ("FB-5011", 503) == code_of(error)
    assert "0.1 seconds" in str(error.value)
    assert world.store.read("Patient", "none") is None


def test_rows_that_come_in_portions_count_together(world: World) -> None:
    """Each portion is quick; together they take longer than a query may."""

    def pause(_: object) -> None:
        time.sleep(0.0001)

    many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) SELECT i FROM n"
    with pytest.raises(BridgeError) as error, world.store.reading(limited=True) as session:
        list(map(pause, session.stream(many)))
    assert ("FB-5011", 503) == code_of(error)


def test_a_late_statement_undoes_its_transaction(world: World) -> None:
    """What was written before it in the same transaction is gone; writing goes on."""

    def work(opened: object) -> None:
        opened.put(PATIENT | {"id": "li"})  # type: ignore[attr-defined]
        opened._session.all(_ENDLESS)  # type: ignore[attr-defined]

    with pytest.raises(BridgeError) as error:
        world.store.run(work)
    assert ("FB-5011", 503) == code_of(error)
    assert world.store.read("Patient", "li") is None
    assert 201 == world.client().put("/fhir/Patient/li", json=PATIENT | {"id": "li"}).status_code


def test_the_service_says_so_over_http(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """503 with an OperationOutcome of type timeout, for a search and for a condition."""
    find = Store.find

    def slow(self: Store, *arguments: object) -> object:
        with self.reading(limited=True) as session:
            session.all(_ENDLESS)
        return find(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Store, "find", slow)
    answer = world.client().get("/fhir/Patient?family=li")
    issue = answer.json["issue"][0]
    assert (503, "timeout", "FB-5011") == (
        answer.status_code,
        issue["code"],
        issue["details"]["coding"][0]["code"],
    )


def test_long_work_that_is_no_request_is_not_bounded(world: World) -> None:
    """Backups, checks and the pipeline take the time that they need."""
    with world.store.reading() as session:
        row = session.one(_LONG.format(3_000_000))
    assert row is not None
    assert row[0] == 3_000_000
    with world.store.transaction() as opened:
        opened._session.all(_LONG.format(3_000_000))

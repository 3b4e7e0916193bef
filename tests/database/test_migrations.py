"""The schema that migrations make is the schema that the code expects."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from fhir_bridge.database.schema import metadata
from fhir_bridge.errors import BridgeError
from fhir_bridge.store import PersonRow, StatementRow, Store
from fhir_bridge.update import read_statement, stamp


def test_migrations_make_the_schema(store: Store) -> None:
    """Alembic sees no difference between the tables and `schema`."""
    engine = store.storage.database.engine()
    with engine.connect() as connection:
        context = MigrationContext.configure(connection)
        differences = [
            each
            for each in compare_metadata(context, metadata)
            if not (isinstance(each, tuple) and each[0] == "remove_table")
        ]
    engine.dispose()
    assert differences == []


def test_a_newer_schema_is_refused(opening: Callable[..., Store]) -> None:
    """An older release does not write into what it does not know."""
    with opening().writing() as session:
        session.run("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(BridgeError) as refused:
        opening()
    assert refused.value.code == "FB-5009"


def test_times_of_an_older_record_become_stamps(opening: Callable[..., Store]) -> None:
    """What was said then keeps its order, and is older than what comes of the same moment."""
    plain = StatementRow(1, "his", 0, 1, 2_000, 1)
    timed = StatementRow(
        2, "his", 0, 1, 3_000, 1, times=b'{"times":{"status":1000},"nulls":["name"]}'
    )
    person = PersonRow("his", "k", "p", 0, b"{}", 4_000, times=b'{"hidden":{"gender":5}}')
    with opening().transaction() as transaction:
        transaction.put_statements([plain, timed])
        transaction.put_identity_statement(person)
    with opening().writing() as session:
        session.run("UPDATE alembic_version SET version_num = '0005'")

    with opening().transaction() as transaction:
        rows = transaction.statements([1, 2])
        (of_person,) = transaction.identity_statements("p")
    said = read_statement("his", rows[2][0].at, {}, rows[2][0].times)
    assert rows[1][0].at == stamp(2_000) < stamp(2_000, 1)
    assert (said.at, said.time("status"), said.nulls) == (stamp(3_000), stamp(1_000), {"name"})
    assert of_person.at == stamp(4_000)
    assert read_statement("his", 0, {}, of_person.times).hidden == {"gender": stamp(5)}

"""The schema that migrations make is the schema that the code expects."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from fhir_bridge.database.schema import metadata
from fhir_bridge.errors import BridgeError
from fhir_bridge.store import Store


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

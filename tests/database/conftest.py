"""The same databases as for the record: a real SQLite file and a real PostgreSQL."""

from tests.store.conftest import database, opening, registry, store  # noqa: F401 - fixtures

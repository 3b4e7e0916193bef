"""Every contract test runs on a real SQLite file and on a real PostgreSQL database."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from fhir_bridge.fhir import definitions
from fhir_bridge.search import Registry
from fhir_bridge.store import Store, open_store
from tests.store.databases import scratch_schema


@pytest.fixture(scope="session")
def registry() -> Registry:
    """The parameters of R4."""
    return Registry(definitions())


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/record.sqlite3"
        return
    url = os.environ.get("FHIR_BRIDGE_TEST_POSTGRESQL")
    if not url:
        pytest.skip("no PostgreSQL (set FHIR_BRIDGE_TEST_POSTGRESQL)")
    with scratch_schema(url) as scratch:
        yield scratch


@pytest.fixture
def opening(database: str, registry: Registry) -> Iterator[Callable[..., Store]]:
    """Opens the database, again where asked, as another process would."""
    with ExitStack() as closing:

        def opened(registry: Registry = registry, **settings: object) -> Store:
            store = open_store(database, registry=registry, **settings)  # type: ignore[arg-type]
            closing.callback(store.close)
            return store

        yield opened


@pytest.fixture
def store(opening: Callable[..., Store]) -> Store:
    """An empty store."""
    return opening()

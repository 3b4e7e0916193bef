"""The product without a record, and a database of each kind."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from fhir_bridge.app import Services, build
from fhir_bridge.config import load_settings
from tests.field.record import empty
from tests.store.databases import scratch_schema


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """Maps, feeds and profiles, read once."""
    made = build(load_settings({}, data=tmp_path_factory.mktemp("field"), log_level="ERROR"))
    yield made
    made.store.close()


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """One schema in a real PostgreSQL for all cases: making one takes longer than a case."""
    url = os.environ.get("FHIR_BRIDGE_TEST_POSTGRESQL")
    if not url:
        pytest.skip("no PostgreSQL (set FHIR_BRIDGE_TEST_POSTGRESQL)")
    with scratch_schema(url) as scratch:
        yield scratch


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without a record."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/record.sqlite3"
        return
    url = request.getfixturevalue("server")
    yield url
    empty(url)

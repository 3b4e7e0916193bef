"""A whole server without sockets: the real store, registry and validator behind Flask."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.api.world import World, open_world
from tests.store.databases import scratch_schema


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """The parts of a server over a fresh SQLite record."""
    made = open_world(f"sqlite:///{tmp_path / 'record.sqlite3'}")
    yield made
    made.store.close()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """The same over SQLite and over PostgreSQL."""
    if request.param == "sqlite":
        made = open_world(f"sqlite:///{tmp_path / 'record.sqlite3'}")
        yield made
        made.store.close()
        return
    url = os.environ.get("FHIR_BRIDGE_TEST_POSTGRESQL")
    if not url:
        pytest.skip("FHIR_BRIDGE_TEST_POSTGRESQL names no server")
    with scratch_schema(url) as scoped:
        made = open_world(scoped)
        yield made
        made.store.close()


@pytest.fixture
def client(world: World) -> FlaskClient:
    """A client of the API."""
    return world.client()

"""A whole server without sockets: the real store, registry and validator behind Flask."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.api.world import World, open_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """The parts of a server over a fresh SQLite record."""
    made = open_world(f"sqlite:///{tmp_path / 'record.sqlite3'}")
    yield made
    made.store.close()


@pytest.fixture
def client(world: World) -> FlaskClient:
    """A client of the API."""
    return world.client()

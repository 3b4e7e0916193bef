"""A world over each kind of database."""

import pytest

from fhir_bridge.store import open_store
from tests.identity.world import World
from tests.store.conftest import database, registry  # noqa: F401 - fixtures


@pytest.fixture
def world(database, registry):  # noqa: F811 - the fixtures imported above
    """An empty record."""
    store = open_store(database, registry=registry)
    yield World(store)
    store.close()

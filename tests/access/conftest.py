"""The filled record of the generated test, on SQLite and on PostgreSQL."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fhir_bridge.artifacts import Artifacts
from fhir_bridge.conformance import Profiles
from fhir_bridge.entitlement import Policy
from fhir_bridge.fhir import definitions, parse_json
from fhir_bridge.search import Registry
from fhir_bridge.store import Store, open_store
from tests.access.cast import resources
from tests.access.decision import Decision
from tests.access.matrix import Matrix
from tests.store.databases import scratch_schema

PROFILES = Path(__file__).resolve().parents[2] / "profiles" / "access"


@pytest.fixture(scope="session")
def registry() -> Registry:
    """The parameters of R4 and of the product."""
    profiles = Profiles.from_artifacts(Artifacts())
    return Registry(definitions(), profiles.search_parameters.values())


@pytest.fixture(
    scope="session", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]
)
def matrix(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, registry: Registry
) -> Iterator[Matrix]:
    """The record, filled once, and the decision about it."""
    if request.param == "sqlite":
        with filled(
            f"sqlite:///{tmp_path_factory.mktemp('access')}/record.sqlite3", registry
        ) as made:
            yield made
        return
    url = os.environ.get("FHIR_BRIDGE_TEST_POSTGRESQL")
    if not url:
        pytest.skip("no PostgreSQL (set FHIR_BRIDGE_TEST_POSTGRESQL)")
    with scratch_schema(url) as scratch, filled(scratch, registry) as made:
        yield made


@contextmanager
def filled(url: str, registry: Registry) -> Iterator[Matrix]:
    """A matrix over the database at `url`, which is empty so far."""
    store: Store = open_store(url, registry=registry)
    made = list(resources(registry))
    current = {}
    with store.transaction() as transaction:
        for written in transaction.put_many(made):
            current[written.resource_type, written.id] = parse_json(written.body)
    policy = Policy.load(Artifacts())
    yield Matrix(store, registry, policy, Decision(PROFILES, current))
    store.close()

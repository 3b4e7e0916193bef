"""The services of a test server: what the wiring gives, at its smallest."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Literal

from flask import Request as HttpRequest
from flask.testing import FlaskClient

from fhir_bridge.access import Access, Caller
from fhir_bridge.api import create_app
from fhir_bridge.artifacts import Artifacts
from fhir_bridge.audit import AccessLog
from fhir_bridge.budget import Bounds
from fhir_bridge.conformance import Profiles
from fhir_bridge.fhir import Definitions, definitions
from fhir_bridge.interactions import Validation
from fhir_bridge.lane import Turn
from fhir_bridge.search import Registry
from fhir_bridge.security_labels import Labeller
from fhir_bridge.store import Store, open_store
from fhir_bridge.transform import Library
from fhir_bridge.validation import Validator

__all__ = ["BASE", "TestSettings", "World", "open_world"]

BASE = "http://localhost/fhir"


@dataclass(frozen=True)
class TestSettings:
    """The settings that the API reads."""

    __test__ = False

    fhir_base: str = BASE
    referential_integrity: bool = True
    conditional_delete: Literal["single", "multiple"] = "single"
    require_if_match: bool = False
    max_bundle_entries: int = 10_000
    max_page: int = 1000
    max_request_bytes: int = 32 << 20
    max_request_seconds: int = 120
    cors_origins: tuple[str, ...] = ()
    evaluation: Bounds = field(default_factory=Bounds)
    long_evaluations: int = 2

    def bounds(self, deadline: float, turn: Turn) -> Bounds:
        """What an evaluation may cost."""
        return replace(self.evaluation, deadline=deadline, turn=turn)


@dataclass
class World:
    """Services for `create_app`; `access` is what every caller may see."""

    store: Store
    registry: Registry
    definitions: Definitions
    validator: Validator
    library: Library | None = None
    settings: TestSettings = field(default_factory=TestSettings)
    access: Access = field(default_factory=Access.everything)
    access_log: AccessLog | None = None
    caller: Caller | None = None
    labeller: Labeller | None = None

    def caller_for(self, _request: HttpRequest) -> Caller | None:
        """Whoever `caller` says."""
        return self.caller

    def allows_metrics(self, _request: HttpRequest) -> bool:
        """Everybody's."""
        return True

    def access_for(self, _request: HttpRequest) -> Access:
        """The same for everybody."""
        return self.access

    def client(self, validation: Validation = "full") -> FlaskClient:
        """A client of the API over these services."""
        return create_app(self, validation=validation).test_client()


def open_world(url: str, **chosen: Any) -> World:
    """A world over the database at `url`."""
    registry, validator = _knowledge()
    store = open_store(url, registry=registry)
    return World(store, registry, definitions(), validator, **chosen)


@cache
def _knowledge() -> tuple[Registry, Validator]:
    """What is compiled once for all tests."""
    facts = definitions()
    registry = Registry(facts, own_bases=(BASE,))
    return registry, Validator(facts, Profiles.from_artifacts(Artifacts()))

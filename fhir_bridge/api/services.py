"""What the HTTP edge needs from the wiring.

The wiring's own value of services fits this protocol; tests use a smaller one.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from flask import Request as HttpRequest

from fhir_bridge.access import Access, Caller
from fhir_bridge.audit import AccessLog
from fhir_bridge.budget import Bounds
from fhir_bridge.fhir import Definitions
from fhir_bridge.interactions import RestSettings
from fhir_bridge.lane import Turn
from fhir_bridge.search import Registry
from fhir_bridge.security_labels import Labeller
from fhir_bridge.store import Store
from fhir_bridge.transform import Library
from fhir_bridge.validation import Validator

__all__ = ["ApiSettings", "Services"]


class ApiSettings(RestSettings, Protocol):
    """The settings that the edge obeys, beside those of the interactions."""

    @property
    def fhir_base(self) -> str:
        """The public base URL of the FHIR service, without a slash at its end."""

    @property
    def max_request_bytes(self) -> int:
        """Largest request body, unpacked."""

    @property
    def max_request_seconds(self) -> int:
        """Longest that one request may take."""

    def bounds(self, deadline: float, turn: Turn) -> Bounds:
        """What an evaluation may cost in a request that ends at `deadline`."""

    @property
    def long_evaluations(self) -> int:
        """Most long evaluations at one time."""

    @property
    def cors_origins(self) -> Collection[str]:
        """Origins whose pages may use the API from a browser."""


class Services(Protocol):
    """The parts of the product behind the REST API."""

    @property
    def settings(self) -> ApiSettings:
        """Limits and addresses."""

    @property
    def store(self) -> Store:
        """The record."""

    @property
    def registry(self) -> Registry:
        """Search parameters."""

    @property
    def definitions(self) -> Definitions:
        """The facts of R4."""

    @property
    def validator(self) -> Validator:
        """Structure and profiles."""

    @property
    def library(self) -> Library | None:
        """Compiled maps; None where transformation is not offered."""

    @property
    def access_log(self) -> AccessLog | None:
        """Where it is written who looked; None where access is open, and nobody is known."""

    def caller_for(self, request: HttpRequest) -> Caller | None:
        """Who asks; None for nobody who is known.  Not asked where there is no access log."""

    @property
    def labeller(self) -> Labeller | None:
        """What puts security labels on what is written; None where no rules are."""

    def allows_metrics(self, request: HttpRequest) -> bool:
        """Whether the caller of `request` may read ``/metrics``."""

    def access_for(self, request: HttpRequest) -> Access:
        """What the caller of `request` may see; raises BridgeError FB-42xx to refuse."""

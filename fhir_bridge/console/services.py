"""What the pages need from the wiring; tests use a smaller value of the same shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from flask import Request as HttpRequest

from fhir_bridge.access import Access
from fhir_bridge.conformance import Profiles
from fhir_bridge.ingest import Feed, Pipeline
from fhir_bridge.search import Registry
from fhir_bridge.store import Store

__all__ = ["ConsoleSettings", "Services"]


class ConsoleSettings(Protocol):
    """The settings that the pages obey."""

    @property
    def language(self) -> str:
        """The language of a page when the browser names none."""

    @property
    def fhir_base(self) -> str:
        """The public base URL of the FHIR service, without a slash at its end."""


class Services(Protocol):
    """The parts of the product behind the pages."""

    @property
    def settings(self) -> ConsoleSettings:
        """Language and addresses."""

    @property
    def store(self) -> Store:
        """The record, the journal, the quarantine."""

    @property
    def registry(self) -> Registry:
        """Search parameters."""

    @property
    def profiles(self) -> Profiles:
        """Our CodeSystems, for names of codes."""

    @property
    def feeds(self) -> Mapping[str, Feed]:
        """The feeds by name."""

    @property
    def pipeline(self) -> Pipeline:
        """What works on messages that are tried again."""

    @property
    def secret(self) -> bytes:
        """The key that signs forms."""

    def access_for(self, request: HttpRequest) -> Access:
        """What the caller of `request` may see; raises BridgeError FB-42xx to refuse."""

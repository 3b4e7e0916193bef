"""A request to the authorization server and its answer, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fhir_bridge.access import Scopes
from fhir_bridge.smart.app import App
from fhir_bridge.smart.launches import Launch

__all__ = ["Answer", "AuthorizationRequest", "Decision", "OAuthRequest", "Refusal"]

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class OAuthRequest:
    """What came: parameters in their order, headers, and the address it came from."""

    method: str
    query: Pairs = ()
    form: Pairs = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    address: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, a JSON body (or none), headers in their order."""

    status: int
    body: Mapping[str, Any] | None
    headers: Pairs = ()

    @property
    def location(self) -> str:
        """Where the browser is sent; "" for nowhere."""
        return dict(self.headers).get("Location", "")


class Refusal(Exception):  # noqa: N818 - the word of the specification is error, the page's is refusal
    """An authorization request that is answered to the person, never to an address in it."""


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """What an app asks of a person, checked: `scopes` are those it may have at most."""

    app: App
    redirect_uri: str
    scopes: Scopes
    launch: Launch | None
    prompt: frozenset[str]
    max_age: int | None
    parameters: Mapping[str, str]

    @property
    def needs_patient(self) -> bool:
        """Whether somebody's record must be chosen."""
        return bool(self.scopes.at("patient")) or "launch/patient" in self.scopes.others


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided: who they are, what the app gets, on whose record.

    `signed_in` (ms since 1970) and `methods` are those of the session whose digest is `session`.
    """

    account_id: str
    scopes: str
    patient: str = ""
    encounter: str = ""
    session: bytes = b""
    methods: str = ""
    signed_in: int = 0

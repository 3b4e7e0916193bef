"""What the pages of sign-in need from the wiring."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import Request as HttpRequest

from fhir_bridge.access import Access, Caller
from fhir_bridge.accounts import Accounts
from fhir_bridge.identity import IdentityRules
from fhir_bridge.search import Registry
from fhir_bridge.sign_in.gate import Gate
from fhir_bridge.smart import Smart
from fhir_bridge.store import Store

__all__ = ["SignInServices"]


@dataclass(frozen=True, slots=True)
class SignInServices:
    """`access_of` says what of the record a caller may see now; `language` what a reader reads."""

    gate: Gate
    store: Store
    registry: Registry
    rules: IdentityRules
    secret: bytes
    access_of: Callable[[Caller], Access]
    language: Callable[[HttpRequest], str]

    @property
    def accounts(self) -> Accounts:
        """The people who sign in."""
        return self.gate.accounts

    @property
    def smart(self) -> Smart:
        """The apps that they let at the record."""
        return self.gate.smart

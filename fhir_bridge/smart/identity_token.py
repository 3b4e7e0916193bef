"""Identity tokens and what they say of a person (https://openid.net/specs/openid-connect-core-1_0.html).

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html#scopes-for-requesting-identity-data
"""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from fhir_bridge import clock
from fhir_bridge.accounts import Account, Accounts
from fhir_bridge.database import milliseconds
from fhir_bridge.errors import BridgeError
from fhir_bridge.smart.grants import Grant
from fhir_bridge.smart.keys import SigningKeys
from fhir_bridge.smart.metadata import Addresses

__all__ = ["IdentityTokens"]

_SECONDS = 3_600
_HASHES = {"RS256": hashlib.sha256, "ES384": hashlib.sha384}


class IdentityTokens:
    """Signs who a person is, for the app that may know."""

    def __init__(self, addresses: Addresses, keys: SigningKeys, accounts: Accounts) -> None:
        self._addresses, self._keys, self._accounts = addresses, keys, accounts

    def extension(self, grant: Any) -> None:
        """Adds the identity token to a token answer of Authlib's."""
        grant.register_hook("after_create_token_response", self._add)

    def person(self, account_id: str, scopes: str) -> dict[str, Any]:
        """``fhirUser`` and ``name``, as far as the scopes let them be known."""
        try:
            account = self._accounts.get(account_id)
        except BridgeError:
            return {}
        words, said = scopes.split(), dict[str, Any]()
        reference = fhir_user(account)
        if reference and ("fhirUser" in words or "profile" in words):
            said["fhirUser"] = f"{self._addresses.base}/{reference}"
        if "profile" in words:
            said["name"] = account.display
        return said

    def _add(self, grant: Any, response: Any) -> None:
        _, token, _ = response
        if "openid" not in token["scope"].split():
            return
        request = grant.request
        code = request.authorization_code
        of: Grant = code.grant if code is not None else request.refresh_token.grant
        now = milliseconds(clock.now()) // 1000
        algorithm = request.client.id_token_algorithm
        claims = {
            "iss": self._addresses.issuer,
            "sub": of.account_id,
            "aud": of.client_id,
            "iat": now,
            "exp": now + _SECONDS,
            "auth_time": of.signed_in // 1000,
            "at_hash": _half_hash(token["access_token"], algorithm),
            **self.person(of.account_id, token["scope"]),
        }
        if of.methods:
            claims["amr"] = of.methods.split()
        if code is not None and code.nonce:
            claims["nonce"] = code.nonce
        token["id_token"] = self._keys.signed(claims, algorithm)


def fhir_user(account: Account) -> str:
    """The resource that is the person: who works here as such, else whose record it is."""
    for binding in account.bindings:
        if binding.practitioner:
            return f"Practitioner/{binding.practitioner}"
    for binding in account.bindings:
        if binding.patient:
            return f"Patient/{binding.patient}"
    return ""


def _half_hash(text: str, algorithm: str) -> str:
    digest = _HASHES[algorithm](text.encode()).digest()
    return base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()

"""The three ways to tokens, on Authlib's grants.

What Authlib leaves open is closed here: a code challenge by S256 from every app, the audience,
codes and refresh tokens that end their family when they come twice, scopes that only shrink.
"""

from __future__ import annotations

import re
import secrets
from typing import Any

from authlib.oauth2.rfc6749 import (
    AccessDeniedError,
    InvalidGrantError,
    InvalidRequestError,
    InvalidScopeError,
)
from authlib.oauth2.rfc6749.grants import (
    AuthorizationCodeGrant,
    ClientCredentialsGrant,
    RefreshTokenGrant,
)
from authlib.oauth2.rfc7636 import CodeChallenge

from fhir_bridge import clock
from fhir_bridge.accounts import Account
from fhir_bridge.database import milliseconds_of
from fhir_bridge.errors import BridgeError
from fhir_bridge.smart.app import App
from fhir_bridge.smart.exchange import Decision
from fhir_bridge.smart.grants import Code, Grant, Token

__all__ = ["AuthorizationCode", "ClientCredentials", "Refresh", "SmartRules"]

_ALL_METHODS = ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"]
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


class SmartRules(CodeChallenge):  # type: ignore[misc] # Authlib has no types
    """What SMART asks of every authorization request and its code, beyond Authlib's own checks."""

    DEFAULT_CODE_CHALLENGE_METHOD = "S256"
    SUPPORTED_CODE_CHALLENGE_METHOD = ["S256"]  # noqa: RUF012 - Authlib's form
    CODE_CHALLENGE_METHODS = {"S256": CodeChallenge.CODE_CHALLENGE_METHODS["S256"]}  # noqa: RUF012

    def validate_code_challenge(self, grant: Any, redirect_uri: Any) -> None:  # noqa: ARG002 - Authlib's signature
        """Raises InvalidRequestError without a challenge by S256, with a foreign audience or launch."""
        data = grant.request.payload.data
        if data.get("code_challenge_method") != "S256":
            raise InvalidRequestError("code_challenge_method S256 is required.")
        if not _CHALLENGE.fullmatch(data.get("code_challenge", "")):
            raise InvalidRequestError("code_challenge is missing or not of S256.")
        base = grant.server.addresses.base
        if data.get("aud", data.get("resource", "")).rstrip("/") != base:
            raise InvalidRequestError("aud is not this FHIR server.")
        if "launch" in data or "launch" in (grant.request.scope or "").split():
            handle, client_id = data.get("launch", ""), grant.request.client.client_id
            grant.launch = grant.server.launches.look(handle, client_id)
            if grant.launch is None:
                raise InvalidRequestError("launch is unknown, used or of another app.")

    def validate_code_verifier(self, grant: Any, result: Any) -> None:  # noqa: ARG002 - Authlib's signature
        """Raises InvalidGrantError for a verifier that is missing, malformed or not the one."""
        verifier = grant.request.form.get("code_verifier", "")
        challenge = grant.request.authorization_code.code_challenge
        holds = self.CODE_CHALLENGE_METHODS["S256"]
        if not _VERIFIER.fullmatch(verifier) or not holds(verifier, challenge):
            raise InvalidGrantError("code_verifier is not the one of the code.")


class AuthorizationCode(AuthorizationCodeGrant):  # type: ignore[misc] # Authlib has no types
    """The authorization code flow."""

    TOKEN_ENDPOINT_AUTH_METHODS = _ALL_METHODS
    launch: Any = None

    def generate_authorization_code(self) -> str:
        """256 bits."""
        return secrets.token_urlsafe(32)

    def save_authorization_code(self, code: str, request: Any) -> None:
        """Begin the grant that the person decided on."""
        decision: Decision = request.user
        data = request.payload.data
        if self.launch is not None and not self.server.launches.use(data["launch"]):
            raise AccessDeniedError(redirect_uri=self.redirect_uri)
        grant = Grant(
            clock.fresh_id(),
            request.client.client_id,
            decision.account_id,
            decision.scopes,
            decision.patient,
            decision.encounter,
            decision.session,
            decision.methods,
            decision.signed_in,
        )
        self.server.grants.begin(
            grant,
            code,
            redirect_uri=data.get("redirect_uri", ""),
            challenge=data["code_challenge"],
            nonce=data.get("nonce", "")[:500],
        )

    def query_authorization_code(self, code: str, client: App) -> Code | None:
        """The code, used up."""
        redeemed: Code | None = self.server.grants.redeem(code, client.client_id)
        return redeemed

    def delete_authorization_code(self, authorization_code: Code) -> None:
        """It was used up when it was looked at, and is kept to know it again."""

    def authenticate_user(self, authorization_code: Code) -> Account | None:
        """The person, as long as their account is open."""
        return _person(self.server, authorization_code.grant)


class Refresh(RefreshTokenGrant):  # type: ignore[misc] # Authlib has no types
    """Refresh tokens that rotate; one that comes twice ends its family."""

    TOKEN_ENDPOINT_AUTH_METHODS = _ALL_METHODS
    INCLUDE_NEW_REFRESH_TOKEN = True

    def authenticate_refresh_token(self, refresh_token: str) -> Token | None:
        """The token, when it may still be used."""
        token: Token | None = self.server.grants.token(refresh_token)
        if token is None or not token.is_refresh:
            return None
        if token.spent:
            self.server.grants.revoke(token.grant.id)
            return None
        grant = token.grant
        if not token.is_alive or _person(self.server, grant) is None:
            return None
        if not grant.is_lasting and not self.server.accounts.sessions.lives(grant.session):
            return None
        return token

    def _validate_token_scope(self, token: Token) -> None:
        asked_for = self.server.scopes(self.request.payload.scope or "")
        if asked_for.refused or not self.server.scopes(token.grant.scopes).covers(asked_for):
            raise InvalidScopeError

    def authenticate_user(self, refresh_token: Token) -> Account | None:
        """The person, as long as their account is open."""
        return _person(self.server, refresh_token.grant)

    def revoke_old_credential(self, refresh_token: Token) -> None:
        """It was spent together with the keeping of its successor."""


class ClientCredentials(ClientCredentialsGrant):  # type: ignore[misc] # Authlib has no types
    """Backend services: a system that proves itself by its key, for five minutes."""

    TOKEN_ENDPOINT_AUTH_METHODS = ["private_key_jwt"]  # noqa: RUF012 - Authlib's form

    def validate_token_request(self) -> None:
        """Raises InvalidScopeError for scopes beyond those of systems and of this one."""
        super().validate_token_request()
        wanted = self.server.scopes(self.request.payload.scope or "")
        allowed = self.request.client.get_allowed_scope(self.request.payload.scope)
        given = self.server.scopes(allowed or "").at("system")
        if wanted.others or len(wanted.at("system")) != len(wanted.resources) or not given:
            raise InvalidScopeError("Systems are given scopes of the level system.")
        self.request.payload.data["scope"] = " ".join(each.text for each in given)


def _person(server: Any, grant: Grant) -> Account | None:
    """Whose grant it is; None when the account is gone, locked, or has a new password since."""
    try:
        account: Account = server.accounts.get(grant.account_id)
    except BridgeError:
        return None
    if account.locked or milliseconds_of(account.changed) > grant.created:
        return None
    return account

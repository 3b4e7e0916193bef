"""Introspection (RFC 7662) and revocation (RFC 7009) of tokens."""

from __future__ import annotations

from typing import Any

from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7662 import IntrospectionEndpoint

from fhir_bridge.smart.app import App
from fhir_bridge.smart.grants import Token

__all__ = ["Introspection", "Revocation"]

_PROVEN = ["client_secret_basic", "client_secret_post", "private_key_jwt"]


class Introspection(IntrospectionEndpoint):  # type: ignore[misc] # Authlib has no types
    """What a token is, for the app that holds it and for apps that may ask about all."""

    CLIENT_AUTH_METHODS = _PROVEN

    def check_permission(self, token: Token, client: App, request: Any) -> bool:  # noqa: ARG002 - Authlib's signature
        """Whether `client` may know."""
        return client.introspects or token.check_client(client)

    def query_token(self, token_string: str, token_type_hint: str | None) -> Token | None:  # noqa: ARG002 - Authlib's signature
        """The token, whatever its kind."""
        found: Token | None = self.server.grants.token(token_string)
        if found is None or found.is_refresh:
            return found
        # What opens nothing at the FHIR service is not active either.
        return found if self.server.token_check.caller(token_string) is not None else None

    def introspect_token(self, token: Token) -> dict[str, Any]:
        """https://hl7.org/fhir/smart-app-launch/STU2.2/token-introspection.html"""
        grant = token.grant
        answer: dict[str, Any] = {
            "active": True,
            "scope": token.get_scope(),
            "client_id": grant.client_id,
            "exp": token.expires // 1000,
            "iat": token.issued // 1000,
            "iss": self.server.addresses.issuer,
            "aud": self.server.addresses.base,
            "token_type": "refresh_token" if token.is_refresh else "Bearer",
            "sub": grant.account_id or grant.client_id,
        }
        if grant.account_id:
            answer |= self.server.identity_tokens.person(grant.account_id, token.get_scope())
        for name in ("patient", "encounter"):
            if value := getattr(grant, name):
                answer[name] = value
        return answer


class Revocation(RevocationEndpoint):  # type: ignore[misc] # Authlib has no types
    """An app gives back what it holds: with a refresh token the whole grant."""

    CLIENT_AUTH_METHODS = [*_PROVEN, "none"]  # noqa: RUF012 - Authlib's form

    def query_token(self, token_string: str, token_type_hint: str | None) -> Token | None:  # noqa: ARG002 - Authlib's signature
        """The token, whatever its kind."""
        found: Token | None = self.server.grants.token(token_string)
        return found

    def revoke_token(self, token: Token, request: Any) -> None:  # noqa: ARG002 - Authlib's signature
        """It opens nothing any more."""
        if token.is_refresh:
            self.server.grants.revoke(token.grant.id)
        else:
            self.server.grants.spend(token)

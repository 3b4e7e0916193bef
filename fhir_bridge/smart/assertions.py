"""Apps that prove themselves by a signed assertion (``private_key_jwt``).

https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html,
https://www.rfc-editor.org/rfc/rfc7523.  Whatever is wrong is ``invalid_client`` and no more is
said of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from fhir_bridge import clock
from fhir_bridge.database import milliseconds
from fhir_bridge.smart.app import App
from fhir_bridge.smart.grants import Grants
from fhir_bridge.smart.jose import (
    ASYMMETRIC,
    InvalidTokenError,
    claims_of,
    unverified_payload,
    verified_payload,
)
from fhir_bridge.smart.key_sets import KeySets

__all__ = ["ASSERTION_TYPE", "Assertions"]

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_MAX_AHEAD, _SKEW = 300, 30


@dataclass(frozen=True, slots=True)
class Assertions:
    """Checks assertions that are made out to `audience`, the token endpoint."""

    audience: str
    key_sets: KeySets
    grants: Grants
    algorithms: Collection[str] = ASYMMETRIC

    def app(self, assertion: str, find: Callable[[str], App | None]) -> App:
        """The app that has made the assertion.  Raises InvalidTokenError."""
        header, payload = unverified_payload(assertion)
        issuer = claims_of(payload).get("iss")
        app = find(issuer) if isinstance(issuer, str) else None
        kid = header.get("kid")
        if app is None or app.kind != "asymmetric" or not isinstance(kid, str):
            raise InvalidTokenError("no app with a key is named")
        if str(header.get("typ", "")).upper() != "JWT":
            raise InvalidTokenError("it is not of the type JWT")
        if "jku" in header and header["jku"] != app.jwks_url:
            raise InvalidTokenError("it names another place of keys")
        _, verified = verified_payload(assertion, self.key_sets.of(app, kid), self.algorithms)
        claims = claims_of(verified)
        expires = self._require_claims(claims, app.client_id)
        if not self.grants.is_new_assertion(app.client_id, claims["jti"], expires):
            raise InvalidTokenError("it was used before")
        return app

    def _require_claims(self, claims: Mapping[str, Any], client_id: str) -> int:
        """When it expires, in ms."""
        now = milliseconds(clock.now()) / 1000
        if claims.get("iss") != client_id or claims.get("sub") != client_id:
            raise InvalidTokenError("issuer and subject are not the app")
        audience = claims.get("aud")
        listed = audience if isinstance(audience, list) else [audience]
        if self.audience not in listed:
            raise InvalidTokenError("it is made out to somebody else")
        expires = _seconds(claims.get("exp"))
        if expires is None or not now - _SKEW < expires <= now + _MAX_AHEAD + _SKEW:
            raise InvalidTokenError("it has expired or lives too long")
        for name in ("nbf", "iat"):
            if name in claims:
                since = _seconds(claims[name])
                if since is None or since > now + _SKEW:
                    raise InvalidTokenError("it is of a time to come")
        jti = claims.get("jti")
        if not isinstance(jti, str) or not 1 <= len(jti) <= 256:
            raise InvalidTokenError("it has no name")
        return int((expires + 2 * _SKEW) * 1000)


def _seconds(value: Any) -> float | None:
    """A NumericDate; None for whatever is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        seconds = float(value)
    except OverflowError:
        return None
    return seconds if math.isfinite(seconds) else None

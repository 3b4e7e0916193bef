"""Who asks: a request to the FHIR service by its bearer token, one to a page by its session.

https://www.rfc-editor.org/rfc/rfc6750.  The FHIR service never looks at cookies, so that no page
of another origin can use somebody's session there.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field

from flask import Request as HttpRequest
from flask import Response

from fhir_bridge.access import Caller
from fhir_bridge.accounts import Accounts, Session
from fhir_bridge.errors import BridgeError
from fhir_bridge.smart import Smart

__all__ = ["Gate"]

_BEARER = re.compile(r"Bearer ([A-Za-z0-9_-]{43})", re.IGNORECASE)
_ORIGINS_SECONDS = 5.0


@dataclass(slots=True)
class Gate:
    """The one who knows callers, for one process; `secure` when people come over https."""

    accounts: Accounts
    smart: Smart
    secure: bool
    _origins: dict[str, tuple[float, bool]] = field(default_factory=dict)

    def bearer(self, request: HttpRequest) -> Caller:
        """Who sends a request to the FHIR service.

        Raises BridgeError FB-4202 without a token, FB-4211 for one that opens nothing.
        """
        header = request.environ.get("HTTP_AUTHORIZATION")
        if "access_token=" in request.environ.get("QUERY_STRING", ""):
            raise BridgeError("FB-4211")
        if not header:
            raise BridgeError("FB-4202")
        sent = _BEARER.fullmatch(header)
        caller = self.smart.tokens.caller(sent[1]) if sent else None
        if caller is None:
            raise BridgeError("FB-4211")
        return caller

    def person(self, request: HttpRequest) -> Caller:
        """Who looks at a page.  Raises BridgeError FB-4202 when nobody is signed in."""
        session = self.session(request)
        if session is None or not session.whole:
            raise BridgeError("FB-4202")
        return self.caller_of(session)

    def caller_of(self, session: Session) -> Caller:
        """The person of a session, with no app between."""
        roles = self.smart.tokens.roles(session.account_id)
        return Caller(account=session.account_id, roles=roles, token=session.handle)

    def session(self, request: HttpRequest) -> Session | None:
        """The session of a request's cookie, whole or half."""
        secret = self.secret_of(request)
        return self.accounts.sessions.find(secret) if secret else None

    def secret_of(self, request: HttpRequest) -> str:
        """What the cookie holds."""
        return request.cookies.get(self._cookie, "")

    def keep(self, response: Response, secret: str) -> None:
        """Hand the browser a session; it goes with the browser, and nowhere but here."""
        response.set_cookie(
            self._cookie, secret, httponly=True, secure=self.secure, samesite="Lax", path="/"
        )

    def drop(self, response: Response) -> None:
        """The browser forgets the session."""
        response.delete_cookie(
            self._cookie, httponly=True, secure=self.secure, samesite="Lax", path="/"
        )

    def is_app_origin(self, origin: str) -> bool:
        """Whether a page of `origin` belongs to a registered app (known for five seconds)."""
        now = time.monotonic()
        kept = self._origins.get(origin)
        if kept is None or now > kept[0]:
            if len(self._origins) > 1_000:
                self._origins.clear()
            kept = now + _ORIGINS_SECONDS, self.smart.apps.is_origin(origin)
            self._origins[origin] = kept
        return kept[1]

    @property
    def _cookie(self) -> str:
        """With the prefix a browser takes it over https alone, for this host alone (RFC 6265bis)."""
        return "__Host-fhir_bridge_session" if self.secure else "fhir_bridge_session"

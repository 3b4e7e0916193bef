"""Proof that a form was sent from our own page: a cookie and its signature in the form.

The cookie holds random characters, is not readable by scripts and is never sent along from
another site; the form holds their HMAC with the site's secret.  Another site can neither read
the cookie nor make the signature.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

__all__ = ["COOKIE", "fresh_cookie", "sign", "valid"]

COOKIE = "fhir_bridge_form"


def fresh_cookie() -> str:
    """Random characters for the cookie."""
    return secrets.token_urlsafe(24)


def sign(secret: bytes, cookie: str) -> str:
    """What the form carries."""
    return hmac.new(secret, b"form\x00" + cookie.encode(), hashlib.sha256).hexdigest()


def valid(secret: bytes, cookie: str | None, token: str | None) -> bool:
    """Whether `token` was made for `cookie` by us."""
    if not cookie or not token:
        return False
    return hmac.compare_digest(sign(secret, cookie).encode(), token.encode())

"""What the database keeps but must not tell: sealed with the site's secret.

Fernet of the `cryptography` package (https://cryptography.io/en/latest/fernet/); the key comes
from the site's secret by HKDF.  Who has a copy of the database alone can open nothing.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

from fhir_bridge.errors import BridgeError

__all__ = ["Seal", "digest"]


class Seal:
    """Seals, opens and marks with keys made from `secret`."""

    def __init__(self, secret: bytes) -> None:
        from cryptography.fernet import Fernet
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        def derived(purpose: bytes) -> bytes:
            return HKDF(SHA256(), 32, salt=None, info=b"fhir-bridge " + purpose).derive(secret)

        self._fernet = Fernet(base64.urlsafe_b64encode(derived(b"seal")))
        self._mark_key = derived(b"mark")

    def close(self, text: str) -> bytes:
        """`text`, sealed."""
        return self._fernet.encrypt(text.encode())

    def open(self, sealed: bytes) -> str:
        """What was sealed.  Raises BridgeError FB-7306 when the site's secret is another one."""
        from cryptography.fernet import InvalidToken

        try:
            return self._fernet.decrypt(sealed).decode()
        except InvalidToken:
            raise BridgeError("FB-7306") from None

    def mark(self, *parts: str) -> bytes:
        """A keyed digest of texts that could be guessed one by one without the key."""
        return hmac.new(self._mark_key, "\x1f".join(parts).encode(), hashlib.sha256).digest()


def digest(token: str) -> bytes:
    """What is kept of a secret of 256 random bits: its SHA-256."""
    return hashlib.sha256(token.encode()).digest()

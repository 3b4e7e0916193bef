"""Passwords, hashed by argon2id (https://www.rfc-editor.org/rfc/rfc9106).

Checking a password of nobody costs what checking one of somebody costs, so that time tells
nothing of which names there are.
"""

from __future__ import annotations

import secrets
import unicodedata
from functools import cached_property
from typing import TYPE_CHECKING

from fhir_bridge.errors import BridgeError

if TYPE_CHECKING:
    from argon2 import PasswordHasher

__all__ = ["MIN_PASSWORD", "Passwords"]

MIN_PASSWORD, MAX_PASSWORD = 12, 256


class Passwords:
    """Hashes and checks; `hasher` says the cost."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._given = hasher

    @cached_property
    def _hasher(self) -> PasswordHasher:
        from argon2 import PasswordHasher

        return self._given or PasswordHasher()

    def hashed(self, password: str, name: str = "") -> str:
        """The hash to keep.  Raises BridgeError FB-7303 for a password that is too weak."""
        text = _normal(password)
        if not MIN_PASSWORD <= len(text) <= MAX_PASSWORD:
            reason = f"a password has {MIN_PASSWORD} to {MAX_PASSWORD} characters"
            raise BridgeError("FB-7303", reason=reason)
        if len(set(text)) < 5 or (name and name in text.casefold()):
            reason = "a password has five different characters and does not hold the name"
            raise BridgeError("FB-7303", reason=reason)
        return self._hasher.hash(text)

    def holds(self, kept: str, password: str) -> bool:
        """Whether `password` is the one whose hash is `kept`; "" is nobody's hash."""
        from argon2.exceptions import Argon2Error, InvalidHashError

        try:
            right = self._hasher.verify(
                kept or self._nobodys, _normal(password[: 4 * MAX_PASSWORD])
            )
        except (Argon2Error, InvalidHashError):
            return False
        return right and bool(kept)

    def is_outdated(self, kept: str) -> bool:
        """Whether the hash was made with another cost than today's."""
        return self._hasher.check_needs_rehash(kept)

    @cached_property
    def _nobodys(self) -> str:
        return self._hasher.hash(secrets.token_urlsafe(24))


def _normal(password: str) -> str:
    """The same password whatever keyboard wrote it (NFKC, RFC 8265 section 4.2)."""
    return unicodedata.normalize("NFKC", password)

"""Cursors: where the next page begins, sealed so that nobody can read, make or change one.

A cursor holds the position after the last row (its sort values, which may be a name or a
birth date, and its number), the moment that the pages show, a digest of the question and of
the caller's rights (never a token: a caller who is given a new one reads on), when the first
page was made, and when the link was.  All of it is encrypted and
authenticated with AES-256-GCM (NIST SP 800-38D) under a key derived from the site's secret
(HKDF, https://www.rfc-editor.org/rfc/rfc5869), so that a link in a browser's history or a
proxy's log says nothing of a patient.
"""

from __future__ import annotations

import base64
import binascii
import os
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Any

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from fhir_bridge import clock
from fhir_bridge.database import milliseconds
from fhir_bridge.errors import BridgeError

__all__ = ["MAX_LENGTH", "Cursor", "open_cursor", "seal"]

MAX_LENGTH = 7_000
"""Characters of a cursor: with the rest of the link it fits the 8,190 that servers take."""

_NONCE, _TAG = 12, 16
_PURPOSE = b"fhir-bridge page link 3"


@dataclass(frozen=True, slots=True)
class Cursor:
    """The place between two pages.

    `created` (the first page) and `issued` (this link; 0: now) are in milliseconds since 1970.
    """

    question: str
    position: tuple[Any, ...]
    row_id: int
    snapshot: str
    created: int
    issued: int = 0


def seal(cursor: Cursor, secret: bytes) -> str:
    """The cursor as text for a URL.  Raises BridgeError FB-4112 when no link can hold it."""
    fields = [
        _digest(cursor.question),
        cursor.position,
        cursor.row_id,
        cursor.snapshot,
        cursor.created,
        cursor.issued or milliseconds(clock.now()),
    ]
    nonce = os.urandom(_NONCE)
    sealed = nonce + _cipher(secret).encrypt(nonce, msgspec.msgpack.encode(fields), None)
    text = base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()
    if len(text) > MAX_LENGTH:
        raise BridgeError("FB-4112")
    return text


def open_cursor(text: str, secret: bytes, question: str, oldest: int) -> Cursor:
    """The cursor in `text`, for this question only.

    Raises BridgeError FB-4110 when it was not sealed here or is for another question, and
    FB-4111 when it was given before `oldest`.
    """
    data = _decrypt(text, secret)
    if data is None:
        raise BridgeError("FB-4110", reason="it is not one of this server's or is damaged")
    digest, position, row_id, snapshot, created, issued = msgspec.msgpack.decode(data)
    if digest != _digest(question):
        raise BridgeError("FB-4110", reason="it belongs to another search or caller")
    if issued < oldest:
        raise BridgeError("FB-4111")
    return Cursor(question, tuple(position), row_id, snapshot, created, issued)


def _decrypt(text: str, secret: bytes) -> bytes | None:
    if len(text) > MAX_LENGTH or not text.isascii():
        return None
    try:
        sealed = base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
        if len(sealed) < _NONCE + _TAG:
            return None
        return _cipher(secret).decrypt(sealed[:_NONCE], sealed[_NONCE:], None)
    except (binascii.Error, ValueError, InvalidTag):
        return None


@lru_cache(maxsize=8)
def _cipher(secret: bytes) -> AESGCM:
    return AESGCM(HKDF(SHA256(), 32, salt=None, info=_PURPOSE).derive(secret))


def _digest(question: str) -> bytes:
    return blake2b(question.encode(), digest_size=16).digest()

"""Cursors: where the next page begins, sealed so that nobody can make or change one.

A cursor carries the position after the last row (its sort values and number), the moment
the pages show, and the fingerprint of the question and of the caller's rights, all under an
HMAC-SHA256 (https://www.rfc-editor.org/rfc/rfc2104).  It names no patient.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import msgspec

from fhir_bridge.errors import BridgeError

__all__ = ["Cursor", "open_cursor", "seal"]

_TAG = 16
_LONGEST = 4_000


@dataclass(frozen=True, slots=True)
class Cursor:
    """The place between two pages; `made` and the pin's age are in milliseconds since 1970."""

    question: str
    position: tuple[Any, ...]
    row_id: int
    snapshot: str
    made: int


def seal(cursor: Cursor, secret: bytes) -> str:
    """The cursor as text for a URL."""
    fields = [cursor.question, list(cursor.position), cursor.row_id, cursor.snapshot, cursor.made]
    data = msgspec.json.encode(fields)
    return base64.urlsafe_b64encode(_tag(data, secret) + data).rstrip(b"=").decode()


def open_cursor(text: str, secret: bytes, question: str, oldest: int) -> Cursor:
    """The cursor in `text`, for this question only.

    Raises BridgeError FB-4110 when it was not sealed here or is for another question, and
    FB-4111 when it was made before `oldest`.
    """
    if len(text) > _LONGEST or not text.isascii():
        raise BridgeError("FB-4110", reason="it is not one of this server's")
    try:
        sealed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        raise BridgeError("FB-4110", reason="it is damaged") from None
    tag, data = sealed[:_TAG], sealed[_TAG:]
    if not hmac.compare_digest(tag, _tag(data, secret)):
        raise BridgeError("FB-4110", reason="it is not one of this server's")
    asked, position, row_id, snapshot, made = msgspec.json.decode(data)
    if asked != question:
        raise BridgeError("FB-4110", reason="it belongs to another search or caller")
    if made < oldest:
        raise BridgeError("FB-4111")
    return Cursor(asked, tuple(position), row_id, snapshot, made)


def _tag(data: bytes, secret: bytes) -> bytes:
    return hmac.new(secret, data, sha256).digest()[:_TAG]

"""The only door to time and to fresh identifiers.

Services take ``now`` from here so that a test can give the time instead of sleeping.
Instants are rendered as FHIR ``instant`` with milliseconds and ``Z``
(https://hl7.org/fhir/R4/datatypes.html#instant).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

__all__ = ["at", "fresh_id", "instant", "now", "set_id_key", "stable_id"]

_naming_key = b""
_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}

_fixed: ContextVar[datetime | None] = ContextVar("fixed_time", default=None)


def now() -> datetime:
    """The present time, always with a zone (UTC)."""
    return _fixed.get() or datetime.now(UTC)


def instant(time: datetime | None = None) -> str:
    """`time` (default: now) as FHIR instant, for example ``2026-01-02T03:04:05.678Z``."""
    time = (time or now()).astimezone(UTC)
    return f"{time.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def fresh_id() -> str:
    """A random id that fits FHIR ``id``: a UUID of version 4 (36 characters)."""
    return _uuid(os.urandom(16).hex(), "4")


def stable_id(*parts: str) -> str:
    """The same id for the same parts, always: what makes a repeated message harmless.

    A UUID of version 8 (https://www.rfc-editor.org/rfc/rfc9562#section-5.8) from a keyed
    digest.  Identity numbers are few enough to be tried one by one; without the record's
    key (:func:`set_id_key`) nobody can tell from an id which number it stands for.
    """
    text = hashlib.blake2b("\x1f".join(parts).encode(), key=_naming_key, digest_size=16).hexdigest()
    return _uuid(text, "8")


def _uuid(text: str, version: str) -> str:
    """32 hexadecimal digits as a UUID of a version, whose marks replace two of them."""
    variant = _VARIANT[text[16]]
    return f"{text[:8]}-{text[8:12]}-{version}{text[13:16]}-{variant}{text[17:20]}-{text[20:]}"


def set_id_key(key: bytes) -> None:
    """Make :func:`stable_id` depend on `key` (up to 64 bytes).  Called once, by the wiring."""
    global _naming_key  # noqa: PLW0603 - one record, one key, as the log has one level
    _naming_key = key


@contextmanager
def at(time: datetime) -> Iterator[None]:
    """Within the block :func:`now` answers `time` (this thread and its tasks only)."""
    token = _fixed.set(time)
    try:
        yield
    finally:
        _fixed.reset(token)

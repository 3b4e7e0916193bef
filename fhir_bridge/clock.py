"""The only door to time and to fresh identifiers.

Services take ``now`` from here so that a test can give the time instead of sleeping.
Instants are rendered as FHIR ``instant`` with milliseconds and ``Z``
(https://hl7.org/fhir/R4/datatypes.html#instant).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

__all__ = ["at", "fresh_id", "instant", "named_id", "now"]

_fixed: ContextVar[datetime | None] = ContextVar("fixed_time", default=None)


def now() -> datetime:
    """The present moment, always with a zone (UTC)."""
    return _fixed.get() or datetime.now(UTC)


def instant(moment: datetime | None = None) -> str:
    """`moment` (default: now) as FHIR instant, for example ``2026-01-02T03:04:05.678Z``."""
    moment = (moment or now()).astimezone(UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def fresh_id() -> str:
    """A random id that fits FHIR ``id`` (36 characters)."""
    return str(uuid.uuid4())


def named_id(*parts: str) -> str:
    """The same id for the same parts, always: what makes a repeated message harmless."""
    return str(uuid.uuid5(_NAMESPACE, "\x1f".join(parts)))


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    """Within the block :func:`now` answers `moment` (this thread and its tasks only)."""
    token = _fixed.set(moment)
    try:
        yield
    finally:
        _fixed.reset(token)


_NAMESPACE = uuid.UUID("6f0c6c1e-6f8f-5d0e-9d51-6d2f7a1f4c10")

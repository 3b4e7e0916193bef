"""Instants as the database keeps them: whole milliseconds since 1970.

https://hl7.org/fhir/R4/datatypes.html#instant
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

from fhir_bridge import clock

__all__ = ["instant_of", "milliseconds", "milliseconds_of"]


def milliseconds(instant: datetime) -> int:
    """`instant` as milliseconds since 1970."""
    return int(instant.timestamp() * 1000)


def milliseconds_of(instant: str) -> int:
    """A FHIR instant as milliseconds since 1970; "" is now."""
    return milliseconds(datetime.fromisoformat(instant) if instant else clock.now())


@lru_cache(maxsize=1 << 14)
def instant_of(since_1970: int) -> str:
    """Milliseconds since 1970 as FHIR instant.

    >>> instant_of(1)
    '1970-01-01T00:00:00.001Z'
    """
    seconds, rest = divmod(since_1970, 1000)
    return clock.instant(datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest * 1000))

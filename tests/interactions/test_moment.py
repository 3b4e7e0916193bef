"""The times of a history."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from fhir_bridge.errors import BridgeError
from fhir_bridge.interactions.moment import interval

SHANGHAI = timezone(timedelta(hours=8))


def milliseconds(*parts: int) -> int:
    """A moment in UTC as milliseconds since 1970."""
    return int(datetime(*parts, tzinfo=UTC).timestamp() * 1000)  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("text", "first", "following"),
    [
        ("2026", (2025, 12, 31, 16), (2026, 12, 31, 16)),
        ("2026-12", (2026, 11, 30, 16), (2026, 12, 31, 16)),
        ("2026-02-28", (2026, 2, 27, 16), (2026, 2, 28, 16)),
        ("2026-02-28T10:00:00Z", (2026, 2, 28, 10), (2026, 2, 28, 10, 0, 1)),
        ("2026-02-28T10:00:00 08:00", (2026, 2, 28, 2), (2026, 2, 28, 2, 0, 1)),
    ],
)
def test_a_partial_time_is_an_interval(
    text: str, first: tuple[int, ...], following: tuple[int, ...]
) -> None:
    """A time without a zone is in the zone of the record."""
    assert (milliseconds(*first), milliseconds(*following) - 1) == interval("_at", text, SHANGHAI)


@pytest.mark.parametrize("text", ["", "x", "2026-13", "2026-02-30", "9999", "0000", "2026-1-1"])
def test_other_texts_are_refused(text: str) -> None:
    """What is no date gets FB-4025."""
    with pytest.raises(BridgeError) as raised:
        interval("_at", text, UTC)
    assert raised.value.code == "FB-4025"

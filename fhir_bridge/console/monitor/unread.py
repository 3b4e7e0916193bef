"""What no map reads of a feed, as a page shows it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from fhir_bridge.console.text.display import minute
from fhir_bridge.journal import UnreadPlace

__all__ = ["UnreadView", "count_by_feed", "view_unread"]


_MAX_LINES = 1_000


@dataclass(frozen=True, slots=True)
class UnreadView:
    """One place of one feed's messages under one map."""

    feed: str
    place: str
    looked: bool
    count: int
    first: str
    last: str
    example: str
    map: str


def count_by_feed(places: Iterable[UnreadPlace]) -> dict[str, int]:
    """How many places of each feed no rule reads; those only looked at are left out."""
    named = {(each.feed, each.place) for each in places if not each.looked}
    return Counter(feed for feed, _ in named)


def view_unread(places: Iterable[UnreadPlace]) -> list[UnreadView]:
    """The lines of the page, the most frequent of each feed first, `_MAX_LINES` at most."""
    return [
        UnreadView(
            feed=each.feed,
            place=each.place,
            looked=each.looked,
            count=each.count,
            first=minute(each.first_seen),
            last=minute(each.last_seen),
            example=each.example,
            map=each.map.rsplit("/", 1)[-1],
        )
        for each in islice(places, _MAX_LINES)
    ]

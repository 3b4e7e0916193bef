"""What no map reads: judged after each record was mapped, counted by feed, map and place.

A tree keeps what was asked of it and what of that was put somewhere, so a judgement is one
walk over what the record holds; it costs about a hundredth of mapping it.  Counts grow in
memory and go to the record with a later commit, at most `_PAUSE_SECONDS` old: a process that
is killed may lose as much, and never waits for them.

A place is an issue the first time it is seen in a feed.  Nothing of a value is kept or told
but its shape (``99999``, ``汉汉``).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from fhir_bridge import cda, hl7v2, tables
from fhir_bridge.errors import Issue
from fhir_bridge.journal import UnreadCounts, UnreadTally

from .shape import shape_of

__all__ = ["Left", "Place", "Unread", "unread_issue", "unread_places"]

Place = tuple[str, bool, str]

_PAUSE_SECONDS = 2.0
_MAX_PLACES = 2_000  # of one map in one feed; an input could hold any number of names
_MAX_PLACE = 300
_MAX_TOLD = 200  # of one input
_MORE = "…"

_JUDGES: Mapping[str, Callable[[Any], list[Place]]] = {
    "hl7v2": hl7v2.unread,
    "cda": cda.unread,
    "table": tables.unread,
}


def unread_places(tree: Any, form: str) -> list[Place]:
    """(place, whether it was looked at, its text) of whatever went nowhere when `tree` was mapped.

    `form` is the format of the feed; nothing is known of FHIR resources, which are taken whole.
    """
    judge = _JUDGES.get(form)
    return judge(tree) if judge is not None else []


class MapTexts(Protocol):
    """What is asked of the maps: a name for the text of one with all it reaches."""

    def digest(self, map_url: str, hooks: Sequence[str] = (), /) -> str:
        """Another text, another digest."""


@dataclass(slots=True, eq=False)
class Left:
    """One place and what was counted since it was last written."""

    place: str
    looked: bool
    example: str
    count: int = 0
    first: str = ""
    last: str = ""


class Unread:
    """Counts what is left unread, for one pipeline; `hooks` are the maps of hooks by feed."""

    def __init__(
        self,
        maps: MapTexts,
        counts: UnreadCounts,
        hooks: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self._maps = maps
        self._hooks = hooks or {}
        self._counts = counts
        self._places: dict[tuple[str, str], dict[tuple[str, bool], Left]] = {}
        self._told: dict[str, set[str]] = {}
        self._fresh = False
        self._written = time.monotonic()

    def look(
        self, tree: Any, form: str, feed: str, map_url: str, issues: list[Issue]
    ) -> list[Left]:
        """What was left of a record that was mapped; a place that is new becomes an issue."""
        known = self._places.get((feed, map_url))
        if known is None:
            known = self._places[feed, map_url] = {}
            self._told.setdefault(
                feed, {each.place for each in self._counts.places(feed) if not each.looked}
            )
        found: list[Left] = []
        for place, looked, text in unread_places(tree, form):
            left = known.get((place, looked))
            if left is None:
                left = self._met(known, place, text, looked=looked)
                told = self._told[feed]
                if not looked and left.place not in told:
                    told.add(left.place)
                    details = {"example": left.example, "url": map_url}
                    issues.append(Issue("FB-6011", "warning", left.place, details))
            found.append(left)
        return found

    def _met(
        self, known: dict[tuple[str, bool], Left], place: str, text: str, *, looked: bool
    ) -> Left:
        """A place that this process has not seen."""
        if len(known) >= _MAX_PLACES:
            return known.setdefault((_MORE, looked), Left(_MORE, looked, ""))
        self._fresh = True
        short = place if len(place) <= _MAX_PLACE else f"{place[:_MAX_PLACE]}{_MORE}"
        left = known[place, looked] = Left(short, looked, shape_of(text))
        return left

    def add(self, left: Iterable[Left], received: str) -> None:
        """Count what was left of a record that is recorded now."""
        for each in left:
            each.count += 1
            each.last = received
            if not each.first:
                each.first = received

    def due(self, *, now: bool = False) -> list[UnreadTally]:
        """What is to be written with the next commit; nothing while it is young (`now`: all)."""
        if not (now or self._fresh or time.monotonic() - self._written > _PAUSE_SECONDS):
            return []
        return [
            UnreadTally(
                feed, map_url, left.place, left.looked, self._digest(feed, map_url),
                left.count, left.first, left.last, left.example,
            )
            for (feed, map_url), known in self._places.items()
            for left in {id(one): one for one in known.values()}.values()
            if left.count
        ]  # fmt: skip

    def _digest(self, feed: str, map_url: str) -> str:
        return self._maps.digest(map_url, self._hooks.get(feed, ()))

    def written(self) -> None:
        """What was due is in the record: count on from nothing."""
        self._fresh = False
        self._written = time.monotonic()
        for known in self._places.values():
            for left in known.values():
                left.count, left.first = 0, ""


def unread_issue(places: Iterable[Place]) -> Issue | None:
    """All that was left of one input as one issue; None when nothing was."""
    named = dict.fromkeys(place for place, looked, _ in places if not looked)
    if not named:
        return None
    told = ", ".join(list(named)[:_MAX_TOLD])
    more = len(named) - _MAX_TOLD
    return Issue(
        "FB-6012", "information", "", {"places": f"{told} and {more} more" if more > 0 else told}
    )

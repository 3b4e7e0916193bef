"""The shortest part of a history that still fails: what a person wants to read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from tests.histories.events import Event
from tests.histories.running import Failure, first_difference
from tests.histories.site import Site

__all__ = ["shrunk"]


def shrunk(failure: Failure, site: Site) -> Failure:
    """`failure` without the events, words and circumstances that it does not need."""
    size = max(1, len(failure.events) // 2)
    while size:
        start = 0
        while start < len(failure.events):
            smaller = _without(failure.events, range(start, min(start + size, len(failure.events))))
            again = first_difference(smaller, site) if smaller else None
            if again is not None and _kinds(again) & _kinds(failure):
                failure = again
            else:
                start += size
        size //= 2
    return _plainer(failure, site)


def _kinds(failure: Failure) -> set[str]:
    """What is wrong, whoever and whatever it is wrong about."""
    return {re.sub(r"'[^']*'|\b[a-z]*[0-9]\w*|[0-9a-f-]{36}", "", line) for line in failure.found}


def _without(events: Sequence[Event], gone: range) -> list[Event]:
    """`events` without some; what repeats one of those goes too."""
    places: dict[int, int] = {}
    kept: list[Event] = []
    for place, event in enumerate(events):
        if place in gone or (event.of >= 0 and event.of not in places):
            continue
        places[place] = len(kept)
        kept.append(replace(event, of=places[event.of]) if event.of >= 0 else event)
    return kept


def _plainer(failure: Failure, site: Site) -> Failure:
    """Each event as plain as it can be: not killed, not together, with fewer words."""
    for place in range(len(failure.events)):
        for simpler in _simpler(failure.events[place]):
            events = list(failure.events)
            events[place] = simpler
            again = first_difference(events, site)
            if again is not None and _kinds(again) & _kinds(failure):
                failure = again
    return failure


def _simpler(event: Event) -> list[Event]:
    found = []
    if event.killed:
        found.append(replace(event, killed=False))
    if event.together:
        found.append(replace(event, together=False))
    return found

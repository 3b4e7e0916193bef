"""Runs a history step by step and says where the record stops being true."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.histories.comparing import differences
from tests.histories.events import Event
from tests.histories.model import Truth
from tests.histories.site import Site

__all__ = ["Failure", "first_difference"]


@dataclass(frozen=True, slots=True)
class Failure:
    """A history of which the record did not stay true, and what was wrong after its last event."""

    events: tuple[Event, ...]
    found: tuple[str, ...]

    def __str__(self) -> str:
        lines = [f"{number}. {event}" for number, event in enumerate(self.events, 1)]
        return "\n".join([*lines, "then:", *(f"  {line}" for line in self.found)])


def first_difference(events: Sequence[Event], site: Site) -> Failure | None:
    """Plays `events` into the record; the first step after which it differs from the model."""
    numbers = site.new_numbers()
    truth = Truth()
    history = list(events)
    for place, event in enumerate(history):
        truth.apply(event)
        site.send(event, place, numbers, history)
        if event.together and place + 1 < len(history) and not history[place + 1].killed:
            continue
        if event.killed:
            site.die_at_work()
        else:
            site.work()
        site.follower.follow()
        found = differences(truth, site.follower, numbers)
        found += site.refused(numbers)
        if found:
            return Failure(tuple(history[: place + 1]), tuple(found))
    return None

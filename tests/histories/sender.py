"""What a sender knows when it writes the next message of a history.

Which things there are, whose they are, which numbers are given up, and how each source calls
a person: enough for plausible messages.  What is *true* is the model's business.
"""

from __future__ import annotations

import random
from dataclasses import replace

from tests.histories.events import Event, Value
from tests.histories.words import CITIZENS, ELEMENTS, SEX, born, full_name, value

__all__ = ["Sender"]


Says = dict[str, dict[str, Value]]


class Sender:
    """All senders of a history in one; whoever writes an event asks here for its parts."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.events: list[Event] = []
        self.minute = 1
        self.rows_are_dated = rng.random() < 0.7
        self.count = 0
        self.names: dict[tuple[str, str], list[tuple[int, str, str]]] = {}
        self.things: dict[str, dict[tuple[str, str], tuple[str, int]]] = {}
        """By kind: (source, number) to the person's number and the minute since which it is theirs."""
        self.gone: set[tuple[str, str]] = set()
        self.overlaid: set[tuple[str, str]] = set()
        self.found_at: dict[tuple[str, str], set[tuple[str, str]]] = {}
        """The orders whose results came with a visit."""
        self.closed: set[tuple[str, str]] = set()
        """Orders whose results went to another person with their visit."""
        self.agreements: dict[str, dict[str, Value]] = {}

    def _event(
        self, klass: str, source: str, act: str, number: str, says: dict[str, dict[str, Value]]
    ) -> Event:
        self.minute += self.rng.choice((0, 2, 4, 7, 11, 16, 22, 30))
        return Event(klass, source, act, number, self.minute, says)

    def _row_event(self, klass: str, source: str, act: str, number: str, says: Says) -> Event:
        """A row of a table, with the time of its change in the histories where rows have one."""
        event = self._event(klass, source, act, number, says)
        return event if self.rows_are_dated else replace(event, minute=0)

    def _someone(self) -> int:
        """One of the persons; the two whom several sources know by one number are met more often."""
        return self.rng.choice((0, 0, 1, 1, 2, 3))

    def _person(self, source: str = "") -> tuple[str, int, str]:
        """Any person at a hospital, with a number that is not given up."""
        source = source or self.rng.choice("AAB")
        person = self._someone()
        own, duplicate = f"{source.lower()}{person}", f"x{person}"
        has_two = source == "A" and ("A", duplicate) not in self.gone | self.overlaid
        number = duplicate if has_two and self.rng.random() < 0.3 else own
        if (source, number) in self.overlaid:
            return self._person(source)
        self.names.setdefault((source, number), [(0, full_name(person, 0), born(person, 0))])
        return source, person, number

    def _known_person(self) -> tuple[str, int, str]:
        """A person whom a hospital has told of, mostly."""
        known = sorted(
            key for key in self.names if key not in self.gone | self.overlaid and key[0] in "AB"
        )
        if not known or self.rng.random() < 0.1:
            return self._person()
        source, number = self.rng.choice(known)
        return source, int(number[1:]), number

    def _person_says(
        self, source: str, person: int, number: str, *, whole: bool
    ) -> dict[str, Value]:
        self.names.setdefault((source, number), [(0, full_name(person, 0), born(person, 0))])
        if not whole and self.rng.random() < 0.3:
            return {}  # the number alone
        said: dict[str, Value] = {**self._named(source, number), "sex": SEX[person]}
        if CITIZENS[person] and not number.startswith("x") and (whole or self.rng.random() < 0.3):
            said["citizen"] = CITIZENS[person]
        return said | (self._words("person", source) if whole and source in "AB" else {})

    def _named(self, source: str, number: str) -> dict[str, Value]:
        return self._name_at(source, number, self.minute + 1_000)

    def _name_at(self, source: str, number: str, minute: int) -> dict[str, Value]:
        """Name and birth date as the source knew them then."""
        _, name, date = [each for each in self.names[source, number] if each[0] <= minute][-1]
        return {"name": name, "born": date}

    def _about(self, kind: str, source: str, number: str, *, new: bool) -> dict[str, Value]:
        known = self.things.setdefault(kind, {})
        thing = f"{kind[0]}{source.lower()}{len(known)}"
        known[source, thing] = (number, 0)
        return {"number": thing}

    def _mine(self, kind: str, source: str, number: str = "") -> list[str]:
        """The things of a kind that a source knows, of one person where it is named."""
        known = self.things.get(kind, {}).items()
        closed = self.closed if kind == "order" else set()
        return sorted(
            thing for (speaker, thing), (owner, _) in known
            if speaker == source and number in ("", owner)
            and (source, owner) not in self.gone | self.overlaid
            and (source, thing) not in closed
        )  # fmt: skip

    def _words(
        self, kind: str, source: str, names: tuple[str, ...] | None = None
    ) -> dict[str, Value]:
        self.count += 1
        return {
            name: value(name, self.count, source)
            for name in (ELEMENTS[kind] if names is None else names)
        }

    def _result_says(self, about: dict[str, Value], code: str, status: str) -> dict[str, Value]:
        self.count += 1
        flag = {"flag": value("flag", self.count, "A")} if self.rng.random() < 0.6 else {}
        return {
            **about,
            "code": code,
            "status": status,
            "value": value("value", self.count, "A"),
            **flag,
        }

    def _some(self, names: tuple[str, ...], least: int = 1) -> tuple[str, ...]:
        chosen = self.rng.sample(names, self.rng.randint(least, len(names)))
        return tuple(name for name in names if name in chosen)

    def _time(self) -> str:
        self.count += 1
        return value("start", self.count, "A")

    def _is_said(self, known: tuple[tuple[str, str], tuple[str, int]]) -> bool:
        """Whether the owner of a thing is still known by one number to one person."""
        (source, thing), (owner, _) = known
        return (source, owner) not in self.overlaid and (source, thing) not in self.closed

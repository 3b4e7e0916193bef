"""What is true after a history: the rule of update, in a few lines and without the product.

The rule: for each thing, speaker and element the newest statement counts (event time, then
receipt); *absent* says nothing, *null* takes the speaker's own statement back.  What is shown
of an element is what the first speaker in the order of trust says who says something.  A
description is trusted before a mention of the same speaker.

This module imports nothing of the product, and a test says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.histories.events import NULL, Event, Value

__all__ = ["Record", "Thing", "Truth"]

Thing = tuple[str, ...]
"""(kind, source, number…): ``("visit", "A", "v1")``, ``("result", "A", "o1", "GLU")``."""

Record = tuple[str, str]
"""One source's record of a person: (source, number)."""

TRUST = {"C": 0, "D": 1, "A": 2, "B": 2}
"""The public-health office, the contract system, the two hospitals alike: least is trusted most."""

SUPPOSED = 9
"""The level of what nobody said and what is likely."""

WHEN_RECEIVED = 1_000_000_000
"""The minute of what does not say when: it is as new as its arrival, after all that does."""

# What an event says by being that event.
VISIT_STATUS = {
    "A01": "in-progress",
    "A02": "in-progress",
    "A03": "finished",
    "A11": "cancelled",
    "A12": "in-progress",
    "A13": "in-progress",
}
APPOINTMENT_STATUS = {
    "S12": "booked",
    "S13": "booked",
    "S14": "booked",
    "S15": "cancelled",
    "S26": "noshow",
}
DESCRIBES_VISIT = frozenset({"A01", "A02", "A03", "A04", "A08", "A11", "A12", "A13"})


@dataclass
class Truth:
    """The state of the world after the events so far."""

    registers: dict[tuple[Thing, str, int], dict[str, tuple[tuple[int, int], Value]]] = field(
        default_factory=dict
    )
    joined: dict[Record, Record] = field(default_factory=dict)
    merged: dict[Record, Record] = field(default_factory=dict)
    citizens: dict[str, Record] = field(default_factory=dict)
    events: list[tuple[Event, int]] = field(default_factory=list)
    hanging: dict[Thing, set[Thing]] = field(default_factory=dict)
    """What was found during a visit: it goes where the visit goes."""
    apart: list[tuple[Record, str]] = field(default_factory=list)
    """Records that were overlaid by another person's facts, with that person's name."""

    # --- what happens -----------------------------------------------------------------

    def apply(self, event: Event) -> None:
        """Take in one event; its receipt is its place in the history."""
        receipt = len(self.events)
        self.events.append((event, receipt))
        if event.of >= 0:
            earlier, first_receipt = self.events[event.of]
            if event.act == "again" and earlier.source in "AB":  # the same statement, sent anew
                self._take(earlier, receipt)
            else:  # the same bytes again, or worked on again: nothing new is said
                self._take(earlier, first_receipt)
            return
        self._take(event, receipt)

    def _take(self, event: Event, receipt: int) -> None:
        at = (event.minute or WHEN_RECEIVED, receipt)
        record = (event.source, event.number)
        if event.klass == "overlay" and self._is_overlay(record, event):
            return
        if event.number:
            self.joined.setdefault(record, record)
        for kind, said in event.says.items():
            self._say(kind, said, event, record, at)
        if event.act == "A40":
            self._merge((event.source, event.other), record)
        if event.act == "A45":
            visit = ("visit", event.source, event.other)
            for thing in (visit, *sorted(self.hanging.get(visit, ()))):
                self._set(thing, event.source, 0, {"subject": record}, at)
        if event.act == "R01" and "visit" in event.says:
            visit = ("visit", event.source, str(event.says["visit"]["number"]))
            self.hanging.setdefault(visit, set()).update(_found_by(event))

    def _say(
        self, kind: str, said: dict[str, Value], event: Event, record: Record, at: tuple[int, int]
    ) -> None:
        source = event.source
        if kind == "person":
            self._say_of_person(said, event.act, record, at)
            self._identify(record, said)
            return
        if kind == "moved":
            return
        words = {name: value for name, value in said.items() if name not in ("number", "code")}
        subject = {"subject": record}
        number = str(said["number"])
        if kind == "visit":
            level = 0 if event.act in DESCRIBES_VISIT else 1
            status = {"status": VISIT_STATUS[event.act]} if event.act in VISIT_STATUS else {}
            ended = {"discharged": NULL} if event.act == "A13" else {}
            self._set(
                ("visit", source, number), source, level, words | status | ended | subject, at
            )
        elif kind == "order":
            level = 0 if event.act == "O01" else 1
            self._set(("order", source, number), source, level, words | subject, at)
        elif kind == "report":
            self._set(("report", source, number), source, 0, words | subject, at)
        elif kind.startswith("result"):
            if "value" in words:  # a value and its flag are one statement
                words = {"flag": NULL} | words
            thing = ("result", source, number, str(said["code"]))
            self._set(thing, source, 0, words | subject, at)
        elif kind == "document":
            document = ("document", source, number)
            void = dict.fromkeys(("status", "docstatus"), "entered-in-error")
            self._set(
                document, source, 0, words | subject | (void if event.act == "T11" else {}), at
            )
            self._set(document, source, SUPPOSED, {"status": "current"}, at)
            if event.act == "T10" and ("document", source, event.other) in set(self.things()):
                parent = ("document", source, event.other)
                self._set(parent, source, 0, {"status": "superseded"}, at)
        elif kind == "appointment":
            status = {"status": APPOINTMENT_STATUS[event.act]}
            self._set(("appointment", source, number), source, 0, words | status | subject, at)
        else:  # a health file, an agreement, the allergies that a hospital knows
            self._set((kind, source, number), source, 0, words | subject, at)

    def _say_of_person(
        self, said: dict[str, Value], act: str, record: Record, at: tuple[int, int]
    ) -> None:
        """Who a person is the register says; an order or a result is believed where it is silent."""
        thing, source = ("person", *record), record[0]
        is_register = act[0] == "A" or act in ("row", "lines")
        who = {name: value for name, value in said.items() if name in ("name", "born", "sex")}
        self._set(thing, source, 0 if is_register else 1, who, at)
        self._set(thing, source, 0, {k: v for k, v in said.items() if k not in who}, at)

    def _set(
        self, thing: Thing, speaker: str, level: int, said: dict[str, Value], at: tuple[int, int]
    ) -> None:
        register = self.registers.setdefault((thing, speaker, level), {})
        for name, value in said.items():
            if name not in register or register[name][0] <= at:
                register[name] = (at, value)

    # --- who is who -------------------------------------------------------------------

    def root(self, record: Record) -> Record:
        """The record that stands for everything known to be the same person."""
        while self.joined.setdefault(record, record) != record:
            record = self.joined[record]
        return record

    def _identify(self, record: Record, said: dict[str, Value]) -> None:
        """A verified citizen number joins the records that state it."""
        citizen = said.get("citizen")
        if citizen and citizen != NULL:
            self._join(record, self.citizens.setdefault(str(citizen), record))

    def _merge(self, old: Record, survivor: Record) -> None:
        self.joined.setdefault(old, old)
        if old != survivor:
            self.merged.setdefault(old, survivor)
            self._join(old, survivor)

    def _is_overlay(self, record: Record, event: Event) -> bool:
        """Whether a number that belongs to somebody is given to somebody else."""
        somebody = (record, str(event.says["person"]["name"]))
        known = self.said_of(record)
        is_known = {"name", "born"} <= set(known) and known["name"] != somebody[1]
        if is_known and somebody not in self.apart:
            self.apart.append(somebody)
        return somebody in self.apart

    def _join(self, one: Record, other: Record) -> None:
        one, other = self.root(one), self.root(other)
        if one != other:
            self.joined[one] = other

    def persons(self) -> list[list[Record]]:
        """The records of each person, the most trusted first, given-up records last."""
        found: dict[Record, list[Record]] = {}
        for record in self.joined:
            found.setdefault(self.root(record), []).append(record)
        return [sorted(records, key=self.trust) for records in found.values()]

    def trust(self, record: Record) -> tuple[bool, int]:
        """The place in the order of trust; numbers that were given up come last."""
        return record in self.merged, TRUST[record[0]]

    # --- what is shown ----------------------------------------------------------------

    def things(self) -> Iterator[Thing]:
        """Everything that somebody said something of, persons aside."""
        return iter(dict.fromkeys(thing for thing, _, _ in self.registers if thing[0] != "person"))

    def shown(self, thing: Thing) -> dict[str, Value]:
        """The elements of a thing that somebody states."""
        shown: dict[str, Value] = {}
        speakers = [key for key in self.registers if key[0] == thing]
        for key in sorted(speakers, key=lambda key: (key[2], TRUST[key[1]]), reverse=True):
            for name, (_, value) in self.registers[key].items():
                if value != NULL:
                    shown[name] = value
        return shown

    def said_of(self, record: Record) -> dict[str, Value]:
        """What one source's record states of a person now."""
        return self.shown(("person", *record))

    def ever_named(self, thing: Thing, name: str) -> bool:
        """Whether a speaker took this element of a thing back or states it."""
        return any(name in said for key, said in self.registers.items() if key[0] == thing)


def _found_by(event: Event) -> Iterator[Thing]:
    """The report and the results of a message."""
    for kind, said in event.says.items():
        if kind == "report":
            yield ("report", event.source, str(said["number"]))
        elif kind.startswith("result"):
            yield ("result", event.source, str(said["number"]), str(said["code"]))

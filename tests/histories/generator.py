"""Histories from a seed: 5 to 40 events about four persons and four sources.

A generator remembers only what it needs to write plausible messages (what there is, whose it
is, which numbers are given up); what is *true* is the model's business.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

from tests.histories.events import NULL, Event, Value
from tests.histories.sender import Sender
from tests.histories.words import BORN, CITIZENS, ELEMENTS, NULLABLE, SEX, born, full_name

__all__ = ["history"]

_TESTS = ("GLU", "NA", "K")


def history(seed: int) -> list[Event]:
    """The history of `seed`; the same for the same seed, on any machine."""
    maker = _Maker(random.Random(f"history {seed}"))
    wanted = min(40, 5 + int(maker.rng.expovariate(1 / 9)))
    for kind in maker.rng.sample(("visit", "order", "document", "appointment", "agreement"), 2):
        maker.append(maker.register(kind))
    while len(maker.events) < wanted:
        maker.add()
    return maker.events


class _Maker(Sender):
    """Writes one event after the other."""

    def add(self) -> None:
        """One more event, of a class taken at random."""
        makers: list[Callable[[], Event | None]] = [
            self.register, self.partial, self.full, self.null, self.result, self.correct_name,
            self.correct_birth, self.overlay, self.merge, self.move, self.move, self.cancel, self.repeat, self.late,
            self.replay, self.kill,
        ]  # fmt: skip
        self.append(self.rng.choice(makers)())

    def append(self, event: Event | None) -> None:
        """`event` at the end; some are worked on together with the next."""
        if event is not None:
            if self.rng.random() < 0.15 and not event.killed:
                event = replace(event, together=True)
            self.events.append(event)

    # --- classes of events ------------------------------------------------------------

    def register(self, kind: str = "") -> Event | None:
        """A source tells of a person, or of a new visit, order, document … for the first time."""
        kind = kind or self.rng.choice(
            ["person", "person", "row", "visit", "order", "document", "appointment", "agreement"]
        )
        if kind == "row":
            return self._row("register", whole=True)
        if kind == "agreement":
            return self._agreement("register", new=True)
        source, person, number = self._person()
        says = {"person": self._person_says(source, person, number, whole=True)}
        if kind == "order":
            says[kind] = {"status": "NW"}
        if kind != "person":
            says[kind] = (
                says.get(kind, {})
                | self._about(kind, source, number, new=True)
                | self._words(kind, source)
            )
        act = {
            "person": "A28",
            "visit": "A01",
            "order": "O01",
            "document": "T02",
            "appointment": "S12",
        }[kind]
        return self._event("register", source, act, number, says)

    def full(self) -> Event | None:
        """Everything is said anew."""
        return self._update("update-full", lambda names: names)

    def partial(self) -> Event | None:
        """Some of it is said anew, the rest is left empty."""
        return self._update("update-partial", self._some)

    def null(self) -> Event | None:
        """Some of it is taken back."""
        if self.rng.random() < 0.1:
            row = self._row("null", whole=True)
            return replace(
                row, says={**row.says, "person": {**row.says["person"], "address": NULL}}
            )
        kind = self._kind_known()
        if kind is None:
            return None
        event = self._said_again("null", kind, self._some)
        if event is None:
            return None
        said = dict(event.says[kind])
        for name in self._some(NULLABLE[kind]):
            said[name] = NULL
        return replace(event, says={**event.says, kind: said})

    def result(self) -> Event | None:
        """Results of an order, new or again; with what the message mentions of visit and order."""
        source, _person, number = self._person()
        known = self._mine("order", source)
        order = self.rng.choice(known) if known and self.rng.random() < 0.7 else None
        if order is None:
            about = self._about("order", source, number, new=True)
        else:
            number = self.things["order"][source, order][0]
            about = {"number": order}
        says: dict[str, dict[str, Value]] = {"person": self._named(source, number)}
        status = self.rng.choice("PFFC")
        says["report"] = {**about, "status": status}
        for code in self._some(_TESTS):
            says[f"result {code}"] = self._result_says(about, code, status)
        if self.rng.random() < 0.3 and (visits := self._mine("visit", source, number)):
            visit = self.rng.choice(visits)
            says["visit"] = {"number": visit} | self._words("visit", source, ("bed", "doctor"))
            self.found_at.setdefault((source, visit), set()).add((source, str(about["number"])))
        return self._event("result", source, "R01", number, says)

    def correct_name(self) -> Event | None:
        """The name was wrong; number and birth date stay."""
        return self._correct("correct-name", name=True)

    def correct_birth(self) -> Event | None:
        """The birth date was wrong; number and name stay."""
        return self._correct("correct-birth", name=False)

    def overlay(self) -> Event | None:
        """A number is given to somebody else: nearly everything about the person differs."""
        source, person, number = self._known_person()
        if len(self.overlaid) > 1:
            return None
        self.count += 1
        other = {
            "name": full_name((person + 1) % len(BORN), 300 + self.count),
            "born": f"19{30 + self.count % 20}-07-09",
            "sex": "female" if SEX[person] == "male" else "male",
        }
        self.overlaid.add((source, number))
        return self._event("overlay", source, "A08", number, {"person": other})

    def merge(self) -> Event | None:
        """The hospital gives up one of its two numbers of a person."""
        source, person, number = self._person("A")
        duplicate = f"x{person}"
        if (source, duplicate) in self.gone:
            return None
        if number != duplicate:
            self.gone.add((source, duplicate))
        says = {"person": self._named(source, number)}
        return replace(self._event("merge", source, "A40", number, says), other=duplicate)

    def move(self) -> Event | None:
        """A visit was written down for the wrong person."""
        known = [(source, visit) for source in "AB" for visit in self._mine("visit", source)]
        if not known:
            return None
        source, visit = self.rng.choice(known)
        _, _, number = self._person(source)
        while number == self.things["visit"][source, visit][0]:
            _, _, number = self._person(source)
        before = self.things["visit"][source, visit][0]
        says = {"person": self._named(source, number), "moved": {"from": before}}
        event = replace(self._event("move", source, "A45", number, says), other=visit)
        self.things["visit"][source, visit] = (number, event.minute)
        self.closed |= self.found_at.get((source, visit), set())
        return event

    def cancel(self) -> Event | None:
        """An admission, discharge, order, result, document, appointment or agreement is undone."""
        known = [
            (kind, source, thing)
            for kind in ("visit", "order", "result", "document", "appointment", "agreement")
            for source in "ABD"
            for thing in self._mine("order" if kind == "result" else kind, source)
        ]
        if not known:
            return None
        kind, source, thing = self.rng.choice(known)
        if kind == "agreement":
            return self._agreement("cancel", new=False, state="4")
        number = self.things["order" if kind == "result" else kind][source, thing][0]
        says: dict[str, dict[str, Value]] = {"person": self._named(source, number)}
        about: dict[str, Value] = {"number": thing}
        act, other = "", ""
        if kind == "visit":
            act = self.rng.choice(["A03", "A11", "A13"])
            more = {"discharged": self._time().replace("2026", "2027")} if act == "A03" else {}
            says["visit"] = {**about, "class": "I", **more}
        elif kind == "order":
            act = "O01"
            says["order"] = {**about, "status": self.rng.choice(["CA", "DC", "CM", "HD"])}
        elif kind == "result":
            act = "R01"
            code = self.rng.choice(_TESTS)
            says["report"] = {**about, "status": "C"}
            says[f"result {code}"] = {**about, "code": code, "status": self.rng.choice("DW")}
        elif kind == "document":
            act = self.rng.choice(["T11", "T10"])
            if act == "T10":
                other = thing
                about = self._about("document", source, number, new=True)
                says["document"] = about | self._words("document", source)
            else:
                says["document"] = about
        else:
            act = self.rng.choice(["S15", "S26"])
            says["appointment"] = about
        return replace(self._event("cancel", source, act, number, says), other=other)

    def repeat(self) -> Event | None:
        """An earlier message is sent once more: byte for byte, or under a new control id."""
        earlier = self._earlier()
        act = self.rng.choice(["same", "again"])
        if earlier is None:
            return None
        event, after = self.events[earlier], self.events[earlier + 1 :]
        if any(each.act == "A45" and each.minute == event.minute for each in after):
            act = "same"  # said anew it would be newer than the move: test_visits.py has that
        return Event("repeat", event.source, act, of=earlier)

    def replay(self) -> Event | None:
        """An operator has an earlier message worked on once more: often one of two of a moment."""
        tied = [
            place
            for place, (event, after) in enumerate(pairwise(self.events))
            if event.minute == after.minute > 0 and event.of < 0 and event.source == after.source
        ]
        earlier = self.rng.choice(tied) if tied and self.rng.random() < 0.7 else self._earlier()
        return (
            None
            if earlier is None
            else Event("replay", self.events[earlier].source, "replay", of=earlier)
        )

    def late(self) -> Event | None:
        """A message that was true some time ago arrives only now."""
        kind = self._kind_known()
        if kind is None or self.minute < 5:
            return None
        if self.rows_are_dated and self.rng.random() < 0.15:
            row = self._row("late", whole=False)
            row = self.rng.choice([row, self._agreement("late", new=False) or row])
            minute, taken = self.rng.randint(1, self.minute - 1), {e.minute for e in self.events}
            while minute in taken:  # of two words of one minute the later would count
                minute -= 1
            return replace(row, minute=minute) if minute else None
        event = self._said_again("late", kind, self._some)
        if event is None:
            return None
        source, number = event.source, event.number
        taken = {each.minute for each in self.events}
        since = 1
        if kind != "person":
            about = str(event.says[kind]["number"])
            since = self.things[kind][source, about][1] + 1
        free = [minute for minute in range(since, event.minute) if minute not in taken]
        if not free:
            return None
        minute = self.rng.choice(free)
        says = {
            **event.says,
            "person": {**event.says["person"], **self._name_at(source, number, minute)},
        }
        return replace(event, minute=minute, says=says)

    def kill(self) -> Event | None:
        """The service dies while it works on an event, and starts again."""
        event = self.rng.choice(
            [self.register, self.partial, self.full, self.null, self.result, self.cancel]
        )()
        return None if event is None else replace(event, klass="killed", killed=True)

    # --- parts ------------------------------------------------------------------------

    def _update(
        self, klass: str, chosen: Callable[[tuple[str, ...]], tuple[str, ...]]
    ) -> Event | None:
        roll = self.rng.random()
        if roll < 0.15:
            return self._row(klass, whole=klass == "update-full")
        if roll < 0.3:
            return self._agreement(klass, new=False)
        kind = self._kind_known()
        if kind is not None and self.rng.random() < 0.25 and (same := self._same_again(klass)):
            return same
        return None if kind is None else self._said_again(klass, kind, chosen)

    def _same_again(self, klass: str) -> Event | None:
        """A later message that says the very same as an earlier one about the same things."""
        earlier = self.rng.choice(self.events) if self.events else None
        if earlier is None or earlier.act not in ("A08", "A31", "A28", "O01", "T08", "S13", "S14"):
            return None
        if (earlier.source, earlier.number) in self.gone | self.overlaid:
            return None
        for kind, said in earlier.says.items():
            about = self.things.get(kind, {}).get((earlier.source, str(said.get("number"))))
            if about is not None and about[0] != earlier.number:
                return None
        now = self._named(earlier.source, earlier.number)
        then = earlier.says["person"]
        if any(then.get(name, value) != value for name, value in now.items()):
            return None
        return self._event(klass, earlier.source, earlier.act, earlier.number, dict(earlier.says))

    def _said_again(
        self, klass: str, kind: str, chosen: Callable[[tuple[str, ...]], tuple[str, ...]]
    ) -> Event | None:
        """A message about something known, with the elements that are `chosen`."""
        if kind == "person":
            source, person, number = self._known_person()
            said = self._person_says(source, person, number, whole=klass == "update-full")
            said |= self._words("person", source, chosen(ELEMENTS["person"]))
            says = {"person": said} | self._allergies(number)
            return self._event(klass, source, self.rng.choice(["A08", "A31"]), number, says)
        known = [each for each in sorted(self.things[kind].items()) if self._is_said(each)]
        if not known:
            return None
        (source, thing), (number, _) = self.rng.choice(known)
        act = {
            "visit": self.rng.choice(["A08", "A02"]),
            "order": "O01",
            "document": "T08",
            "appointment": self.rng.choice(["S13", "S14"]),
        }[kind]
        about: dict[str, Value] = {"number": thing}
        if kind == "order":
            about["status"] = self.rng.choice(["IP", "SC", "A"])
        said = about | self._words(kind, source, chosen(ELEMENTS[kind]))
        says = {"person": self._named(source, number), kind: said}
        return self._event(klass, source, act, number, says)

    def _allergies(self, number: str) -> dict[str, dict[str, Value]]:
        """All allergies that a hospital knows of, in some messages."""
        if self.rng.random() < 0.6:
            return {}
        return {
            "allergies": {"number": number, "allergies": self._some(("latex", "nuts", "iodine"))}
        }

    def _correct(self, klass: str, *, name: bool) -> Event | None:
        source, person, number = self._known_person()
        if not name and CITIZENS[person] and not number.startswith("x"):
            return None  # the citizen number would contradict the new date
        event = self._event(klass, source, self.rng.choice(["A08", "A31"]), number, {})
        self.count += 1
        _, old_name, old_born = self.names[source, number][-1]
        new_name = full_name(person, self.count) if name else old_name
        new_born = old_born if name else born(person, self.count % 5)
        self.names[source, number].append((event.minute, new_name, new_born))
        return replace(event, says={"person": self._named(source, number)})

    def _row(self, klass: str, *, whole: bool) -> Event:
        """A line of the public-health office's list."""
        person = self._someone()
        number = f"c{person}"
        said = self._person_says("C", person, number, whole=True)
        said |= self._words("person", "C", ("home", "address") if whole else ("home",))
        diseases = self._some(("hypertension", "diabetes", "stroke"), least=0)
        allergies = self._some(("penicillin", "sulfonamide"), least=0)
        parts: dict[str, dict[str, Value]] = {"person": said}
        parts["file"] = {"number": number, "diseases": diseases, "allergies": allergies}
        return self._row_event(klass, "C", "row", number, parts)

    def _agreement(self, klass: str, *, new: bool, state: str = "2") -> Event | None:
        """The lines of one agreement."""
        known = self._mine("agreement", "D")
        if new or not known:
            if not new and klass == "cancel":
                return None
            person = self._someone()
            number = f"d{person}"
            agreement = str(self._about("agreement", "D", number, new=True)["number"])
        else:
            agreement = self.rng.choice(known)
            number = self.things["agreement"]["D", agreement][0]
            person = int(number[1:])
        said = self._person_says("D", person, number, whole=True)
        said |= self._words("person", "D", ("home",))
        year = 2025 + self.rng.randrange(3)
        packages = self._some(("BAO1", "BAO2", "BAO3"))
        words: dict[str, Value] = {
            "number": agreement,
            "state": state,
            "from": f"{year}-01-01",
            "packages": packages,
        }
        return self._row_event(klass, "D", "lines", number, {"person": said, "agreement": words})

    def _kind_known(self) -> str | None:
        kinds = [kind for kind in ELEMENTS if kind != "person" and self.things.get(kind)]
        kinds += ["person", "person"] if self.names else []
        return self.rng.choice(kinds) if kinds else None

    def _earlier(self) -> int | None:
        """The place of an event that brought a message of its own."""
        found = [place for place, event in enumerate(self.events) if event.of < 0]
        return self.rng.choice(found) if found else None

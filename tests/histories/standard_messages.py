"""Messages made from the standard's segment tables, and not from our maps.

``standard/segments.csv`` names every field of the segments of HL7 v2.5.1 with its data type
(chapters 3, 4, 6, 7, 9, 10, 11, 12), ``standard/messages.csv`` which segments a message has,
which event says the same anew and which undoes it.  Each field gets a value of its type.  A
field is *key* when it says which thing a segment speaks of, or belongs to what does (the time for
which a person takes part), so that an update must repeat it; a null is never sent where nothing would be left of the thing (a
status, what a charge is for); fields that are *together* are one statement (a value, its unit and
its flag; a dosage), so that one of them is never left out alone.
A field may name a thing of its own that *stays* when the field is null (an account, the order behind a result).
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

__all__ = ["FIELDS", "LEFT", "MESSAGES", "Field", "Kind", "Wire"]

_FOLDER = Path(__file__).parent / "standard"
_HEAD = "MSH|^~\\&|HIS|JCCH|FB|C1|{at}+0800||{kind}|{control}|P|2.5.1|||||||UNICODE UTF-8\r"
_TYPES = {
    "AUI": "{n}^20200101", "CE": "C{n}^{seg} {name}^L", "CNE": "C{n}^{seg} {name}^L",
    "CP": "{n}", "CQ": "{n}^mL", "CWE": "C{n}^{seg} {name}^L", "CX": "{ns}{seg}{n}^^^JCCH",
    "DLD": "H{n}", "DLN": "{ns}D{n}", "DR": "202002{day}0800^202002{day}0900",
    "DT": "202002{day}", "EI": "{ns}{seg}{n}^JCCH", "EIP": "{ns}E{n}&JCCH^{ns}F{n}&JCCH",
    "FC": "{n}", "FT": "{seg} words {n}", "HD": "H{n}", "ID": "Y", "IS": "1", "JCC": "J{n}^1",
    "LA1": "W{n}^1^1", "LA2": "W{n}^1^1", "MOC": "{n}", "NDL": "S{n}&Sur{n}&Giv{n}",
    "NM": "{n}", "PL": "W{n}^{n}^1^JCCH", "PPN": "S{n}^Sur{n}^Giv{n}", "PRL": "{n}", "RPT": "BID",
    "SI": "1", "SPS": "SER{n}", "ST": "{seg} text {n}", "TM": "0800",
    "TQ": "1^BID^D{n}^202002{day}0800", "TS": "202002{day}0810", "TX": "{seg} words {n}",
    "XAD": "{n} Road^^Town^^1000{n:02}^CHN", "XCN": "S{n}^Sur{n}^Giv{n}", "XON": "Org {n}^^O{n}",
    "XPN": "Fam{n}^Giv{n}", "XTN": "^PRN^PH^^^10^5550{n:03}",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the standard; `path` names it as people do (``PID-13``)."""

    segment: str
    number: int
    name: str
    type: str
    key: bool
    together: str
    no_null: bool
    stays: str
    example: str

    @property
    def path(self) -> str:
        """``PID-13``"""
        return f"{self.segment}-{self.number}"

    def sample(self, space: int) -> str:
        """A value of the field's type, not the same as any other field's where it may differ."""
        form = self.example or _TYPES[self.type]
        return form.format(
            n=self.number, seg=self.segment, name=self.name.lower(), day=f"{1 + self.number % 28:02}",
            ns=f"Q{space:06}", ssn=_ssn(space),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Kind:
    """A message type, the event that updates and what cancels: an event, or a field (``OBX-11=D``).

    `undone` are the elements that the cancel takes back beside the state, `without` the fields
    that such a message cannot fill.
    """

    message: str
    update: str
    cancel: str
    undone: tuple[str, ...]
    without: tuple[str, ...]
    segments: tuple[str, ...]

    @property
    def fields(self) -> list[Field]:
        """Every field of its segments, each segment once."""
        return [each for name in dict.fromkeys(self.segments) for each in FIELDS[name]]


@dataclass(frozen=True)
class Wire:
    """One message on its way out: all fields filled, some changed."""

    kind: Kind
    space: int
    changed: Mapping[str, str] | None = None
    event: str = ""
    minute: int = 0

    @property
    def own(self) -> tuple[str, ...]:
        """The texts that no message of another space has."""
        return f"Q{self.space:06}", _ssn(self.space)

    def saying(self, minute: int, changed: Mapping[str, str], *, event: str = "") -> Wire:
        """The same at `minute`, with other texts in some fields (``PID-13`` → text)."""
        return replace(self, minute=minute, changed=changed, event=event or self.kind.update)

    def data(self, control: str) -> bytes:
        """The bytes."""
        at = f"202603{1 + self.minute // 480:02}{8 + self.minute % 480 // 60:02}{self.minute % 60:02}00"
        event = self.event or self.kind.message
        text = _HEAD.format(at=at, kind=event, control=control)
        for name in self.kind.segments:
            text += self._segment(name, at, event) + "\r"
        return text.encode()

    def _segment(self, name: str, at: str, event: str) -> str:
        texts = [name]
        for field in FIELDS[name]:
            text = (self.changed or {}).get(field.path, field.sample(self.space))
            if field.path in self.kind.without:
                text = ""
            if name == "EVN" and field.number in (1, 2):
                text = event.split("^")[1] if field.number == 1 else f"{at}+0800"
            texts.append(text)
        return "|".join(texts).rstrip("|")


def _ssn(space: int) -> str:
    return f"{space // 10_000 % 1000:03}-45-{space % 10_000:04}"


@cache
def _fields() -> dict[str, list[Field]]:
    found: dict[str, list[Field]] = {}
    with (_FOLDER / "segments.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            field = Field(
                row["segment"], int(row["field"]), row["name"], row["type"],
                row["key"] == "yes", row["together"], row["null"] == "no",
                row["null"].removeprefix("no"), row["example"],
            )  # fmt: skip
            found.setdefault(field.segment, []).append(field)
    return found


def _messages() -> list[Kind]:
    with (_FOLDER / "messages.csv").open(encoding="utf-8", newline="") as file:
        return [
            Kind(
                row["message"],
                row["update"],
                row["cancel"],
                tuple(row["undone"].split()),
                tuple(row["without"].split()),
                tuple(row["segments"].split()),
            )
            for row in csv.DictReader(file)
        ]


def _left() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {"empty": {}, "null": {}}
    with (_FOLDER / "left.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found[row["sent"]][row["field"]] = row["reason"]
    return found


FIELDS = _fields()
LEFT = _left()
"""Fields whose empty or null text does not yet do what the rule says, with the reason."""
MESSAGES = _messages()

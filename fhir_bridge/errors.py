"""The error catalogue: every trouble the product can name, once.

Each entry has a public code (``FB-nnnn``), the FHIR issue type
(https://hl7.org/fhir/R4/valueset-issue-type.html), the HTTP status, the HL7 v2
acknowledgement code (table 0008) and error condition (table 0357), a sentence
for people and a hint what to do.  Ranges belong to packages:

==== =======================================================================
1xxx languages: JSON, XML, FHIR shapes, HL7 v2, CDA, tables
2xxx FHIRPath, mapping language, concept maps, terminology
3xxx validation and profiles
4xxx FHIR REST: interactions, search, access
5xxx record: store, identity, journal
6xxx ingest and listeners, feeds, sources that are pulled
7xxx operations, extracts, subscriptions, SMART
9xxx configuration, commands, the unexpected
==== =======================================================================

Promises: a sentence names the place in the sender's own terms ("PID-3.4 of message
8831") and never holds patient data.  Expected trouble travels as an :class:`Issue`
value; :class:`BridgeError` is only for "cannot go on".
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Literal

__all__ = ["BridgeError", "Entry", "Issue", "Severity", "catalogue", "entry"]

Severity = Literal["fatal", "error", "warning", "information"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One kind of trouble.  `sentence` and `hint` may hold ``{name}`` places."""

    code: str
    issue_type: str
    http_status: int
    ack: str
    ack_condition: str
    sentence: str
    hint: str


@cache
def catalogue() -> Mapping[str, Entry]:
    """All entries by code, read once from ``errors.csv`` beside this module."""
    text = files(__package__).joinpath("errors.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return {
        row["code"]: Entry(
            row["code"],
            row["issue_type"],
            int(row["http_status"]),
            row["ack"],
            row["ack_condition"],
            row["sentence"],
            row["hint"],
        )
        for row in rows
    }


def entry(code: str) -> Entry:
    """The entry of `code`; a code that is not in the catalogue is a bug (KeyError)."""
    return catalogue()[code]


class _Places(dict[str, str]):
    """Leaves a place without a value visible instead of failing while reporting."""

    def __missing__(self, key: str) -> str:
        return "…"


@dataclass(frozen=True, slots=True)
class Issue:
    """One finding: a catalogue code, how grave, where (in the sender's terms), details."""

    code: str
    severity: Severity = "error"
    where: str = ""
    details: Mapping[str, str] = field(default_factory=dict)

    @property
    def entry(self) -> Entry:
        """The catalogue entry behind the code."""
        return entry(self.code)

    @property
    def sentence(self) -> str:
        """What happened, for people."""
        return self.entry.sentence.format_map(_Places(self.details))

    @property
    def hint(self) -> str:
        """What to do about it, for people."""
        return self.entry.hint.format_map(_Places(self.details))

    def __str__(self) -> str:
        place = f" at {self.where}" if self.where else ""
        return f"{self.code} {self.severity}{place}: {self.sentence}"


class BridgeError(Exception):
    """Cannot go on.  Carries the issues that say why; the first one leads."""

    def __init__(
        self, code: str, where: str = "", *, issues: tuple[Issue, ...] = (), **details: object
    ) -> None:
        lead = Issue(code, "error", where, {name: str(value) for name, value in details.items()})
        self.issues: tuple[Issue, ...] = (lead, *issues)
        super().__init__(str(lead))

    @property
    def code(self) -> str:
        """The leading catalogue code."""
        return self.issues[0].code

    @property
    def entry(self) -> Entry:
        """The leading catalogue entry."""
        return self.issues[0].entry

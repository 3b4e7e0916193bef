"""The link log as people read it: who was joined with whom, when, and by which rule.

Values of identifiers are masked before they are logged; which message it was is told by the
digest that its Provenance has too.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

from fhir_bridge.fhir import Resource, render_json
from fhir_bridge.store import LoggedLink, Store

__all__ = ["Decision", "Kind", "decisions", "log_detail", "read_decision"]

Kind = Literal["new", "joined", "split"]

_KINDS: dict[str, Kind] = {"new": "new", "apart": "new", "split": "split"}
_SHOWN = 2


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision on a Patient.

    `rule`: "new", "verified-identifier", "number", "local-identifier" (a source's record
    joined it), "apart" (a number that is known came with other facts: recorded apart),
    "merge" (Patient `other` became part of it), "replaced" (it became part of `other`), "split"
    (a record was taken out into `other`, or came from there).  `message` is the digest of the
    message behind it; `identifiers` are (system, masked value); `undoes` is the number of the
    decision that a split takes back.  `source` is whose record it was, the feed where that was
    not kept.
    """

    number: int
    at: str
    patient_id: str
    feed: str
    key: str
    rule: str
    message: str = ""
    other: str = ""
    undoes: int = 0
    identifiers: tuple[tuple[str, str], ...] = ()
    source: str = ""

    @property
    def kind(self) -> Kind:
        """What it did: made a Patient, joined records, or split them."""
        return _KINDS.get(self.rule, "joined")

    @property
    def can_be_undone(self) -> bool:
        """Whether it joined what can be taken apart again."""
        return self.rule in {"verified-identifier", "number", "local-identifier", "merge"}


def decisions(store: Store, patient_id: str) -> list[Decision]:
    """Every decision on a Patient and on those that became part of it, oldest first."""
    found: dict[int, Decision] = {}
    wanted, seen = [patient_id], set[str]()
    while wanted:
        current = wanted.pop()
        seen.add(current)
        for entry in store.link_log(current):
            decision = read_decision(entry)
            found[decision.number] = decision
            if decision.rule == "merge" and decision.other not in seen:
                wanted.append(decision.other)
    return [found[number] for number in sorted(found)]


def read_decision(entry: LoggedLink) -> Decision:
    """An entry of the log; those of older releases name the other Patient alone."""
    said: dict[str, Any] = {"other": entry.detail}
    if entry.detail.startswith("{"):
        said = json.loads(entry.detail)
    return Decision(
        entry.entry_id,
        entry.at,
        entry.patient_id,
        entry.feed,
        entry.key,
        entry.rule,
        said.get("message", ""),
        said.get("other", ""),
        said.get("undoes", 0),
        tuple((system, value) for system, value in said.get("identifiers", ())),
        said.get("source", entry.feed),
    )


def log_detail(
    *,
    message: str = "",
    other: str = "",
    undoes: int = 0,
    patient: Resource | None = None,
    source: str = "",
) -> str:
    """What is logged beside the rule; identifiers of `patient` are masked."""
    identifiers = [
        (each.get("system", ""), masked(str(each["value"])))
        for each in (patient or {}).get("identifier", ())
        if each.get("value")
    ]
    said = {
        "message": message,
        "other": other,
        "undoes": undoes,
        "identifiers": identifiers,
        "source": source,
    }
    return render_json({name: value for name, value in said.items() if value}).decode()


def masked(value: str) -> str:
    """The last two characters of a long value, none of a short one.

    >>> masked("11010519491231002X"), masked("9")
    ('••••2X', '••••')
    """
    return "••••" + (value[-_SHOWN:] if len(value) > 3 * _SHOWN else "")

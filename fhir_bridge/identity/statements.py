"""The statements behind a Patient, as the record keeps them, and what they say of links.

A statement of a feed has the key ``person.patient``: the digest of the feed's own identifier
and the Patient that it was first given to.  Two more kinds are made by linking itself, under
the empty feed: that a Patient became part of this one (key: its id), and that another Patient
was judged to be somebody else (``apart OTHER THIS``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from fhir_bridge.fhir import Resource, parse_json, render_json
from fhir_bridge.identity.fold import Statement
from fhir_bridge.identity.keys import replaced_key
from fhir_bridge.store import PersonRow

__all__ = [
    "IdentityLedger",
    "Statements",
    "apart",
    "are_apart",
    "link_to",
    "merged",
    "merged_ids",
    "origin",
    "write_statement",
]

_LAST = 1_000_000  # rank of statements made by linking itself
_APART = "apart "


class IdentityLedger(Protocol):
    """What linking needs of a store transaction."""

    def identity_keys(self, keys: Iterable[bytes], /) -> Mapping[bytes, str]:
        """Patient ids by key, for the keys that are known."""

    def set_identity_keys(self, patient_ids: Mapping[bytes, str], /) -> None:
        """Points each key at a Patient, also one that pointed elsewhere."""

    def add_identity_keys(self, pairs: Iterable[tuple[bytes, str]], /) -> None:
        """Adds (key, patient id) pairs; a key that is known keeps its Patient."""

    def identity_statements(self, patient_id: str, /) -> list[PersonRow]:
        """Every statement behind a Patient."""

    def put_identity_statement(self, row: PersonRow, /) -> None:
        """Adds or replaces the statement of (feed, key); it may move from another Patient."""

    def log_link(self, patient_id: str, feed: str, key: str, rule: str, detail: str, /) -> None:
        """Adds one decision to the append-only link log."""


class Statements:
    """The statements of the Patients that one decision is about, each read once."""

    def __init__(self, ledger: IdentityLedger) -> None:
        self._ledger = ledger
        self._read: dict[str, list[Statement]] = {}

    def of(self, patient_id: str) -> list[Statement]:
        """What is said of a Patient; nothing of one that became part of another."""
        if patient_id not in self._read:
            self._read[patient_id] = [
                Statement(row.feed, row.key, row.rank, parse_json(row.body))
                for row in self._ledger.identity_statements(patient_id)
            ]
        return self._read[patient_id]

    def living(self, patient_id: str) -> str:
        """The Patient that this one is part of now: mostly itself."""
        seen: set[str] = set()
        while patient_id not in seen and not self.of(patient_id):
            seen.add(patient_id)
            key = replaced_key(patient_id)
            patient_id = self._ledger.identity_keys([key]).get(key, patient_id)
        return patient_id


def write_statement(ledger: IdentityLedger, patient_id: str, each: Statement) -> None:
    """Adds or replaces a statement, or moves it to this Patient."""
    body = render_json(each.patient)
    ledger.put_identity_statement(PersonRow(each.feed, each.key, patient_id, each.rank, body))


def merged(other: str) -> Statement:
    """That Patient `other` became part of this one: its link outlives the next folding."""
    return Statement("", other, _LAST, {"link": [link_to(other, "replaces")]})


def apart(other: str, patient_id: str) -> Statement:
    """That `other` is not this Patient, whatever their identifiers say."""
    return Statement("", f"{_APART}{other} {patient_id}", _LAST, {})


def merged_ids(statements: Sequence[Statement]) -> set[str]:
    """The Patients that became part of the one behind `statements`."""
    return {each.key for each in statements if not each.feed and not each.key.startswith(_APART)}


def origin(statement: Statement) -> str:
    """The Patient that a statement was first given to, or that a decision is of."""
    if statement.feed:
        return statement.key.partition(".")[2]
    return statement.key.rpartition(" ")[2]


def are_apart(one: tuple[str, Sequence[Statement]], two: tuple[str, Sequence[Statement]]) -> bool:
    """Whether two Patients (id, statements), or parts of them, were judged to be two persons."""
    return bool(
        _judged(one[1]) & {two[0], *merged_ids(two[1])}
        or _judged(two[1]) & {one[0], *merged_ids(one[1])}
    )


def link_to(patient_id: str, kind: str) -> Resource:
    """A ``Patient.link``."""
    return {"other": {"reference": f"Patient/{patient_id}"}, "type": kind}


def _judged(statements: Sequence[Statement]) -> set[str]:
    """The Patients judged to be somebody else."""
    return {
        each.key.split(" ")[1]
        for each in statements
        if not each.feed and each.key.startswith(_APART)
    }

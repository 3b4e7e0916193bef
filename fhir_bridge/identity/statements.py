"""The statements behind a Patient, as the record keeps them, and what they say of links.

A statement of a source has the key ``person.patient``: the digest of the source's own
identifier and the Patient that it was first given to.  More kinds are made by linking
itself, under the empty source: that a Patient became part of this one (key: its id), that
another Patient was judged to be somebody else (``apart OTHER THIS``) or to belong beside it
(``beside OTHER THIS``), that numbers are no longer in use (``retired THIS``), and that every
source took back what it had said (``withdrawn THIS``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from fhir_bridge.fhir import Resource, read_back, render_json
from fhir_bridge.identity.former import Former, read_former, with_former
from fhir_bridge.identity.keys import Record, replaced_key
from fhir_bridge.store import PersonRow, ReviewRow
from fhir_bridge.update import SourceStatement, UpdateRules, read_statement, resource_of, slots_of

__all__ = [
    "IdentityLedger",
    "Statement",
    "Statements",
    "apart",
    "are_apart",
    "beside",
    "in_use_again",
    "link_to",
    "made",
    "merged",
    "merged_ids",
    "origin",
    "reading",
    "retired_key",
    "withdrawn_key",
    "written",
]

_LAST = 1_000_000  # rank of statements made by linking itself
_APART = "apart "
_BESIDE = "beside "


class _Present(Protocol):
    @property
    def resource(self) -> Resource: ...
    @property
    def version(self) -> int: ...
    @property
    def at(self) -> int: ...


class StatementReader(Protocol):
    """What reading statements needs of a store transaction."""

    def identity_keys(self, keys: Iterable[bytes], /) -> Mapping[bytes, str]:
        """Patient ids by key, for the keys that are known."""

    def identity_statements(self, patient_id: str, /) -> list[PersonRow]:
        """Every statement behind a Patient."""


class IdentityLedger(StatementReader, Protocol):
    """What linking needs of a store transaction, or of a draft over one."""

    def set_identity_keys(self, patient_ids: Mapping[bytes, str], /) -> None:
        """Points each key at a Patient, also one that pointed elsewhere; "" takes it away."""

    def add_identity_keys(self, pairs: Iterable[tuple[bytes, str]], /) -> None:
        """Adds (key, patient id) pairs; a key that is known keeps its Patient."""

    def put_identity_statement(self, row: PersonRow, /) -> None:
        """Adds or replaces the statement of (feed, key); it may move from another Patient."""

    def drop_identity_statement(self, feed: str, key: str, /) -> None:
        """Takes the statement of (feed, key) away, when there is one."""

    def log_link(self, patient_id: str, feed: str, key: str, rule: str, detail: str, /) -> None:
        """Adds one decision to the append-only link log."""

    def hold(self, row: ReviewRow, /) -> None:
        """Puts a contradiction on the list, unless it stands there open already."""

    def present(self, resource_type: str, id_: str, /) -> _Present | None:
        """What a resource is now, its version and when it was written; None when not there."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What one source says of a person: its key there, its rank of trust, what and when.

    `record` is the source's own record of the person; `version` the version of the Patient
    that the statement last went into; `former` are facts that were stated and are no more.
    """

    feed: str
    key: str
    rank: int
    said: SourceStatement
    record: Record = ("", "")
    version: int = 0
    former: Former = ()

    @property
    def patient(self) -> Resource:
        """The Patient as stated."""
        return resource_of("Patient", "", self.said.slots)


def reading(row: PersonRow, rules: UpdateRules) -> Statement:
    """The statement that a row keeps; linking's own and those of older releases as resources."""
    slots = read_back(row.body)
    if not row.feed or "resourceType" in slots:
        slots = slots_of({"resourceType": "Patient"} | slots, rules)
    said = read_statement(row.feed, row.at, slots, row.times)
    record, former = (row.system, row.number), read_former(row.times)
    return Statement(row.feed, row.key, row.rank, said, record, row.version, former)


def written(each: Statement, patient_id: str, version: int | None = None) -> PersonRow:
    """The row that keeps a statement of a Patient that is, or will be, at `version`."""
    body = each.said.slots if each.feed else resource_of("Patient", "", each.said.slots)
    return PersonRow(
        each.feed, each.key, patient_id, each.rank, render_json(body), each.said.at,
        each.version if version is None else version, *each.record,
        with_former(each.said.written_times(), each.former),
    )  # fmt: skip


class Statements:
    """The statements of the Patients that one decision is about, each read once."""

    def __init__(self, ledger: StatementReader, rules: UpdateRules) -> None:
        self._ledger = ledger
        self._rules = rules
        self._read: dict[str, list[Statement]] = {}

    def of(self, patient_id: str) -> list[Statement]:
        """What is said of a Patient (a list to change); nothing of one that became part of another."""
        if patient_id not in self._read:
            rows = self._ledger.identity_statements(patient_id)
            self._read[patient_id] = [reading(row, self._rules) for row in rows]
        return self._read[patient_id]

    def living(self, patient_id: str) -> str:
        """The Patient that this one is part of now: mostly itself."""
        seen: set[str] = set()
        while patient_id not in seen and not self.of(patient_id):
            seen.add(patient_id)
            key = replaced_key(patient_id)
            patient_id = self._ledger.identity_keys([key]).get(key, patient_id)
        return patient_id


def made(key: str, stated: Resource, rules: UpdateRules, at: int = 0) -> Statement:
    """A statement that linking itself makes."""
    said = SourceStatement("", at, slots_of({"resourceType": "Patient"} | stated, rules))
    return Statement("", key, _LAST, said)


def merged(other: str, rules: UpdateRules) -> Statement:
    """That Patient `other` became part of this one: its link outlives the next folding."""
    return made(other, {"link": [link_to(other, "replaces")]}, rules)


def apart(other: str, patient_id: str, rules: UpdateRules) -> Statement:
    """That `other` is not this Patient, whatever their identifiers say."""
    return made(f"{_APART}{other} {patient_id}", {}, rules)


def beside(other: str, patient_id: str, rules: UpdateRules) -> Statement:
    """That a source tells `other` and this Patient to belong together (R4 ``seealso``)."""
    return made(f"{_BESIDE}{other} {patient_id}", {"link": [link_to(other, "seealso")]}, rules)


def retired_key(patient_id: str) -> str:
    """The key of the statement that holds the numbers no longer in use."""
    return f"retired {patient_id}"


def in_use_again(
    statements: Iterable[Statement], records: Collection[Record], rules: UpdateRules
) -> Iterator[tuple[Statement, Statement | None]]:
    """The statements of retired numbers that change when `records` are in use: (old, new)."""
    for each in statements:
        if each.feed or not each.key.startswith("retired "):
            continue
        listed = each.patient.get("identifier", ())
        left = [i for i in listed if (i.get("system", ""), str(i.get("value"))) not in records]
        if len(left) < len(listed):
            yield each, made(each.key, {"identifier": left}, rules, each.said.at) if left else None


def withdrawn_key(patient_id: str) -> str:
    """The key of the statement that nobody speaks of the Patient any more."""
    return f"withdrawn {patient_id}"


def merged_ids(statements: Sequence[Statement]) -> set[str]:
    """The Patients that became part of the one behind `statements`."""
    return {each.key for each in statements if not each.feed and " " not in each.key}


def origin(statement: Statement) -> str:
    """The Patient that a statement was first given to, or that a decision is of."""
    if statement.feed:
        return statement.key.partition(".")[2]
    return statement.key.rpartition(" ")[2]


def moved_to(statement: Statement, patient_id: str) -> Statement:
    """The same statement, given to a Patient as if it had been first given to it."""
    if statement.feed:
        person = statement.key.partition(".")[0]
        return replace(statement, key=f"{person}.{patient_id}")
    kind, space, rest = statement.key.partition(" ")
    if not space:
        return statement
    head = rest.rpartition(" ")[0]
    return replace(statement, key=" ".join(filter(None, (kind, head, patient_id))))


def are_apart(one: tuple[str, Sequence[Statement]], two: tuple[str, Sequence[Statement]]) -> bool:
    """Whether two Patients (id, statements), or parts of them, were judged to be two persons."""
    return bool(
        _distinct_from(one[1]) & {two[0], *merged_ids(two[1])}
        or _distinct_from(two[1]) & {one[0], *merged_ids(one[1])}
    )


def link_to(patient_id: str, kind: str) -> Resource:
    """A ``Patient.link``."""
    return {"other": {"reference": f"Patient/{patient_id}"}, "type": kind}


def _distinct_from(statements: Sequence[Statement]) -> set[str]:
    """The Patients judged to be somebody else."""
    return {
        each.key.split(" ")[1]
        for each in statements
        if not each.feed and each.key.startswith(_APART)
    }

"""The Patients of a Bundle: whose each one is, and what the message orders about persons.

A Patient is found or made by the linker; operations on persons (``Patient/$merge`` …) are
carried out in the order of the entries.  What a source says again word for word costs no
query: only the time at which it was heard last is kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from fhir_bridge.errors import Issue
from fhir_bridge.fhir import Resource, render_json
from fhir_bridge.identity import Link, Move, Record, Saying, StatedPatient, person_key

from .comparing import bare
from .draft import Draft
from .memory import Memory, short_digest
from .operations import Operation

__all__ = ["Heard", "PatientLinker", "Persons"]


class PatientLinker(Protocol):
    """What is asked of :class:`fhir_bridge.identity.Linker`."""

    def read_patient(self, patient: Resource, /) -> StatedPatient:
        """A mapped Patient with the keys that it is found by."""

    def lookup_keys(self, said: StatedPatient, saying: Saying, /) -> list[bytes]:
        """The keys that linking looks up."""

    def link(
        self, ledger: Any, patient: Resource, saying: Saying, said: StatedPatient | None = None, /
    ) -> Link:
        """The Patient that `patient`, as stated by `saying`, belongs to."""

    def operate(
        self, ledger: Any, url: str, parameters: Resource, saying: Saying, /
    ) -> Link | None:
        """Carries out an operation on persons; None when nothing changes."""

    def living(self, ledger: Any, patient_id: str, /) -> str:
        """The Patient that this one is part of now: mostly itself."""

    def person(self, ledger: Any, identifier: Resource, /) -> str:
        """The Patient who has a number; "" when nobody is known by it."""


class PersonEntry(Protocol):
    """An entry of a Patient: its number, the Patient, and that with its keys."""

    number: int
    resource: Resource
    said: StatedPatient | None


@dataclass(frozen=True, slots=True)
class _LinkedPerson:
    """Who it was, under which record and statement of the source."""

    patient_id: str
    record: Record
    statement: tuple[str, str]


@dataclass(slots=True)
class Heard:
    """What a Bundle said of persons: which Patients change, and under which records.

    `records` are the sources' own records in the order of the entries; `keys` their keys by
    the reference of the Patient.
    """

    changed: list[tuple[int, Resource]] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    keys: dict[str, int] = field(default_factory=dict)
    moves: list[Move] = field(default_factory=list)

    def is_of(self, patient_id: str, record: Record) -> None:
        """That the message speaks of a Patient under a record of its source."""
        if record[1]:
            self.records.append(record)
            self.keys.setdefault(f"Patient/{patient_id}", person_key(record))


class Persons:
    """Links Patients, one Bundle after the other; remembers what was said of them."""

    def __init__(self, linker: PatientLinker) -> None:
        self._linker = linker
        self.memory: Memory[_LinkedPerson] = Memory()

    def link(self, entry: PersonEntry, saying: Saying, draft: Draft, to: Heard) -> str:
        """The reference of the Patient that an entry states."""
        patient = entry.resource
        key = _key(patient, saying)
        digest = short_digest(render_json(patient))
        heard = self.memory.recall(key, digest)
        if heard is not None and self.memory.time(_place(heard.value.statement)) == heard.at:
            if heard.at < saying.at:
                draft.touch_person(heard.value.statement, saying.at)
                self._learn(heard.value, saying.at, key, digest)
            to.is_of(heard.value.patient_id, heard.value.record)
            return f"Patient/{heard.value.patient_id}"
        link = self._linker.link(draft, patient, saying, entry.said)
        self._take(entry.number, link, draft, to)
        if link.statement:
            # Words that came late, or in part, are not what the statement's time stands for.
            is_newest = link.is_taken and link.stated_at == saying.at
            known = _LinkedPerson(link.patient_id, link.record, link.statement)
            self._learn(known, link.stated_at, key if is_newest else b"", digest)
        return f"Patient/{link.patient_id}"

    def _learn(self, known: _LinkedPerson, at: int, key: bytes, digest: bytes) -> None:
        """That a statement's newest words are of `at`, and under which key they were said."""
        self.memory.learn(_place(known.statement), b"", known, at)
        if key:
            self.memory.learn(key, digest, known, at)

    def operate(
        self, number: int, operation: Operation, saying: Saying, draft: Draft, to: Heard
    ) -> str:
        """The reference of the Patient that entry `number` changes; "" when nothing changes.

        Raises BridgeError FB-5109 for an operation that lacks a number.
        """
        link = self._linker.operate(draft, operation.url, operation.parameters, saying)
        if link is None:
            return ""
        self.memory.forget(everything=True)
        self._take(number, link, draft, to)
        return f"Patient/{link.patient_id}"

    def living(self, ledger: Any, patient_id: str, /) -> str:
        """The Patient that this one is part of now: mostly itself."""
        return self._linker.living(ledger, patient_id)

    def person(self, ledger: Any, identifier: Resource, /) -> str:
        """The Patient who has a number; "" when nobody is known by it."""
        return self._linker.person(ledger, identifier)

    def _take(self, number: int, link: Link, draft: Draft, to: Heard) -> None:
        to.issues += link.issues
        to.moves += link.moves
        to.is_of(link.patient_id, link.record)
        if link.replaced or link.moves:
            self.memory.forget(everything=True)
        if link.is_new:
            draft.put(link.patient, 1)
            to.changed.append((number, link.patient))
            return
        for resource in (*link.replaced, link.patient):
            id_ = resource["id"]
            present = draft.present("Patient", id_)
            if present is None or bare(present.resource) != resource:
                draft.put(resource, draft.last_version("Patient", id_) + 1)
                to.changed.append((number, resource))
        draft.move(link.moves)


def _key(patient: Resource, saying: Saying) -> bytes:
    """What a source's words of a person are remembered under: its first number."""
    for each in patient.get("identifier", ()):
        if each.get("value"):
            speaker = f"{saying.speaker} {saying.level}"
            return short_digest(f"{speaker} {each.get('system')} {each['value']}".encode())
    return b""


def _place(statement: tuple[str, str]) -> bytes:
    """What a statement (speaker, key) is remembered under."""
    return short_digest("\n".join(statement).encode())

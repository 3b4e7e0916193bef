"""The keys by which statements of a person are found again: digests, never values.

=========== ======================================================================
verified    a verified identifier: it links by itself
number      a number that identifies within its authority: it links, facts permitting
local       any identifier with full birth date and name: together they link
also        a number under which a second person was recorded apart (an overlay)
separated   one source's record of a person that an operator took out of a Patient
replaced    a Patient that became part of another one
=========== ======================================================================
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from fhir_bridge.fhir import Resource, render_json
from fhir_bridge.fhir.marks import NULL
from fhir_bridge.identity.facts import folded_name
from fhir_bridge.identity.rules import IdentityRules
from fhir_bridge.search.hashing import hashed

__all__ = [
    "PersonKeys",
    "Record",
    "also_key",
    "number_key",
    "person_key",
    "replaced_key",
    "separated_key",
    "statement_name",
]

Record = tuple[str, str]
"""A source's own record of a person: the authority's system and the number; ("", "") for none."""


class PersonKeys:
    """Makes the keys of Patients by the rules of a site."""

    def __init__(self, rules: IdentityRules) -> None:
        self._rules = rules

    def records(self, patient: Resource) -> list[Record]:
        """The numbers in use that identify the person, in the order of the statement."""
        return self.numbers(patient)[0]

    def numbers(self, patient: Resource) -> tuple[list[Record], list[Record]]:
        """The numbers that identify the person: those in use, and those no longer in use."""
        in_use, retired = list[Record](), list[Record]()
        for each in patient.get("identifier", ()):
            if self._rules.identifies(each) and NULL not in str(each["value"]):
                record = (each["system"], str(each["value"]).strip())
                (retired if each.get("use") == "old" else in_use).append(record)
        return in_use, retired

    def own_record(self, patient: Resource, records: Sequence[Record] = ()) -> Record:
        """The source's own record of the person: the first of the `records` that identify.

        A national number is often missing at first and added later, so it counts after the
        numbers of every other system.
        """
        if records:
            return records[0]
        named = [
            each
            for each in patient.get("identifier", ())
            if each.get("system") and _is_stated(each)
        ]
        named.sort(key=lambda each: each["system"] in self._rules.verified)
        return (named[0]["system"], str(named[0]["value"]).strip()) if named else ("", "")

    def verified(self, patient: Resource) -> list[tuple[str, bytes]]:
        """(System, key) of the identifiers that link by themselves."""
        keys = []
        for identifier in patient.get("identifier", ()):
            system = self._rules.verified.get(identifier.get("system", ""))
            if system is None:
                continue
            value = str(identifier.get("value", "")).strip().upper()
            if system.holds(value, patient):
                keys.append((system.system, _hashed("verified", system.system, value)))
        return keys

    def local(self, patient: Resource) -> tuple[list[bytes], list[bytes]]:
        """Keys of (system, value, birth date, name) where all four are stated.

        First those of numbers that identify, then those of all others.
        """
        born, name = str(patient.get("birthDate", "")), _name(patient)
        own, others = list[bytes](), list[bytes]()
        if len(born) != len("YYYY-MM-DD") or not name:
            return own, others
        for each in patient.get("identifier", ()):
            if each.get("system") and _is_stated(each):
                key = _hashed("local", each["system"], str(each["value"]), born, name)
                (own if self._rules.identifies(each) else others).append(key)
        return own, others

    def all(self, patient: Resource) -> list[bytes]:
        """Every key that a statement is found by."""
        in_use, retired = self.numbers(patient)
        records = [*in_use, *retired]
        own, others = self.local(patient)
        verified = [key for _, key in self.verified(patient)]
        return [*verified, *own, *others, *map(number_key, records)]


def statement_name(record: Record, patient: Resource) -> str:
    """What tells two persons of one source apart, within the key of a statement."""
    if record[0]:
        return _hashed("statement", *record).hex()
    return _hashed("statement", render_json(patient).decode()).hex()


def person_key(record: Record) -> int:
    """63 bits that stand for a source's record of a person; 0 for none."""
    return hashed("|".join(record)) if record[1] else 0


def number_key(record: Record) -> bytes:
    """The key of a number alone."""
    return _hashed("number", *record)


def also_key(record: Record) -> bytes:
    """The key of the person that was recorded apart under a number."""
    return _hashed("also", *record)


def separated_key(source: str, person: str) -> bytes:
    """The key of an operator's decision on one person of a source."""
    return _hashed("separated", source, person)


def replaced_key(patient_id: str) -> bytes:
    """The key under which it stands what a Patient became part of."""
    return _hashed("replaced", patient_id)


def _is_stated(identifier: Resource) -> bool:
    value = identifier.get("value")
    return bool(value) and NULL not in str(value)


def _name(patient: Resource) -> str:
    for name in patient.get("name", ()):
        if folded := folded_name(name):
            return folded
    return ""


def _hashed(*parts: str) -> bytes:
    return hashlib.blake2b("\x1f".join(parts).encode(), digest_size=16).digest()

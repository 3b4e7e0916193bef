"""The keys by which statements of a person are found again: digests, never values.

=========== ======================================================================
verified    a verified identifier: it links by itself
local       another identifier with full birth date and name: together they link
number      another identifier alone: it never links, but was met before
separated   one source's record of a person that an operator took out of a Patient
replaced    a Patient that became part of another one
=========== ======================================================================
"""

from __future__ import annotations

import hashlib
from typing import Any

from fhir_bridge.fhir import Resource, render_json
from fhir_bridge.identity.rules import IdentityRules

__all__ = ["PersonKeys", "replaced_key", "separated_key"]


class PersonKeys:
    """Makes the keys of Patients by the rules of a site."""

    def __init__(self, rules: IdentityRules) -> None:
        self._rules = rules

    def person(self, patient: Resource) -> str:
        """What tells two persons of one feed apart: a digest of the feed's own identifier.

        A national number is often missing at first and added later, so the first
        identifier of another system counts before it.
        """
        named = [each for each in patient.get("identifier", ()) if each.get("system")]
        named.sort(key=lambda each: each["system"] in self._rules.verified)
        for identifier in named:
            if identifier.get("value"):
                return _hashed("statement", identifier["system"], str(identifier["value"])).hex()
        return _hashed("statement", render_json(patient).decode()).hex()

    def verified(self, patient: Resource) -> list[bytes]:
        """Keys of the identifiers that link by themselves."""
        keys = []
        for identifier in patient.get("identifier", ()):
            value = str(identifier.get("value", "")).strip().upper()
            system = self._rules.verified.get(identifier.get("system", ""))
            if system is not None and system.holds(value, patient):
                keys.append(_hashed("verified", system.system, value))
        return keys

    def local(self, patient: Resource) -> list[bytes]:
        """Keys of (system, value, birth date, name) where all four are stated."""
        born, name = str(patient.get("birthDate", "")), _name(patient)
        if len(born) != len("YYYY-MM-DD") or not name:
            return []
        return [
            _hashed("local", identifier["system"], str(identifier["value"]), born, name)
            for identifier in patient.get("identifier", ())
            if identifier.get("system") and identifier.get("value")
        ]

    def numbers(self, patient: Resource) -> list[bytes]:
        """Keys of local numbers alone."""
        return [
            _hashed("number", identifier["system"], str(identifier["value"]))
            for identifier in patient.get("identifier", ())
            if identifier.get("value")
            and identifier.get("system") not in (None, *self._rules.verified)
        ]

    def all(self, patient: Resource) -> list[bytes]:
        """Every key that a statement is found by."""
        return [*self.verified(patient), *self.local(patient), *self.numbers(patient)]


def separated_key(feed: str, person: str) -> bytes:
    """The key of an operator's decision on one person of a feed."""
    return _hashed("separated", feed, person)


def replaced_key(patient_id: str) -> bytes:
    """The key under which it stands what a Patient became part of."""
    return _hashed("replaced", patient_id)


def _name(patient: dict[str, Any]) -> str:
    for name in patient.get("name", ()):
        text = name.get("text") or "".join([name.get("family", ""), *name.get("given", ())])
        if folded := "".join(str(text).split()).casefold():
            return folded
    return ""


def _hashed(*parts: str) -> bytes:
    return hashlib.blake2b("\x1f".join(parts).encode(), digest_size=16).digest()

"""Finds or makes the one Patient behind what a source says of a person.

Two statements are of one person when they share a verified identifier, or else the same
local identifier together with the same full birth date and the same name.  An unverified
identifier alone never links.  Each decision is written to the store's link log with the
rule behind it, so that a link can be seen, and undone by taking its statement away.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from fhir_bridge import clock
from fhir_bridge.errors import Issue
from fhir_bridge.fhir import Resource, parse_json, render_json
from fhir_bridge.identity.fold import Statement, fold
from fhir_bridge.identity.rules import IdentityRules

__all__ = ["IdentityLedger", "Link", "Linker", "Rule"]

_LAST = 1_000_000  # rank of statements made by linking itself

Rule = Literal["verified-identifier", "local-identifier", "new"]


class IdentityLedger(Protocol):
    """What the linker needs of a store transaction."""

    def identity_keys(self, keys: Iterable[bytes], /) -> Mapping[bytes, str]:
        """Patient ids by key, for the keys that are known."""

    def set_identity_keys(self, patient_ids: Mapping[bytes, str], /) -> None:
        """Points each key at a Patient, also one that pointed elsewhere."""

    def identity_statements(self, patient_id: str, /) -> list[tuple[str, str, int, bytes]]:
        """(feed, key, rank, Patient as JSON) of every statement behind a Patient."""

    def put_identity_statement(
        self, patient_id: str, feed: str, key: str, rank: int, body: bytes, /
    ) -> None:
        """Adds or replaces the statement of (feed, key); it may move from another Patient."""

    def log_link(self, patient_id: str, feed: str, key: str, rule: str, detail: str, /) -> None:
        """Adds one decision to the append-only link log."""


@dataclass(frozen=True, slots=True)
class Link:
    """The decision on one statement.

    `patient` is the folded Patient to write; `replaced` are Patients that turned out to
    be the same person and now point to it.
    """

    patient_id: str
    patient: Resource
    rule: Rule
    issues: list[Issue] = field(default_factory=list)
    replaced: list[Resource] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Decision:
    """Whom a statement is of, by which rule, and which Patients become one by it."""

    rule: Rule
    patient_id: str
    merged: list[str]
    keys: list[bytes]
    issues: list[Issue]


class Linker:
    """Links statements by `rules`; `sources` gives the source kind of each feed."""

    def __init__(self, rules: IdentityRules, sources: Mapping[str, str]) -> None:
        self._rules = rules
        self._ranks = {feed: rules.rank(kind) for feed, kind in sources.items()}

    def link(self, ledger: IdentityLedger, patient: Resource, feed: str) -> Link:
        """The Patient that `patient`, as stated by `feed`, belongs to."""
        verified = self._verified_keys(patient)
        local = self._local_keys(patient)
        numbers = self._number_keys(patient)
        known = ledger.identity_keys([*verified, *local, *numbers])
        of_verified = _distinct(known[key] for key in verified if key in known)
        of_local = _distinct(known[key] for key in local if key in known)
        issues: list[Issue] = []
        if verified:
            of_local = self._without_other_persons(ledger, of_local, of_verified, verified, issues)
        rule: Rule = (
            "verified-identifier" if of_verified else "local-identifier" if of_local else "new"
        )
        if rule == "new" and not issues and any(number in known for number in numbers):
            issues.append(Issue("FB-5104", "warning", "Patient.identifier"))
        candidates = _distinct([*of_verified, *of_local]) or [clock.fresh_id()]
        keys = [*verified, *local, *numbers]
        decision = _Decision(rule, candidates[0], candidates[1:], keys, issues)
        return self._record(ledger, patient, feed, decision)

    def _record(
        self, ledger: IdentityLedger, patient: Resource, feed: str, decision: _Decision
    ) -> Link:
        """Write keys, statement and decision; fold the Patient."""
        patient_id = decision.patient_id
        statements = _read_statements(ledger, patient_id)
        for other in decision.merged:
            for each in _read_statements(ledger, other):
                statements.append(each)
                _write_statement(ledger, patient_id, each)
            # The survivor's link is a statement too, so that it outlives the next folding.
            merge = Statement("", other, _LAST, {"link": [_link_to(other, "replaces")]})
            statements.append(merge)
            _write_statement(ledger, patient_id, merge)
            ledger.log_link(patient_id, feed, "", "merge", other)
        person = self._statement_key(patient)
        earlier = next((s for s in statements if (s.feed, s.key[:32]) == (feed, person)), None)
        # With the Patient in its key a statement never leaves its Patient by being said anew.
        key = earlier.key if earlier else f"{person}.{patient_id}"
        rank = self._ranks.get(feed, self._rules.rank(""))
        stated = Statement(feed, key, rank, (earlier.patient if earlier else {}) | patient)
        if earlier is None or earlier.patient != stated.patient:
            statements = [s for s in statements if s is not earlier] + [stated]
            _write_statement(ledger, patient_id, stated)
        if earlier is None:
            ledger.log_link(patient_id, feed, key, decision.rule, "")
        ledger.set_identity_keys(dict.fromkeys(decision.keys, patient_id))
        folded, differences = fold(patient_id, statements)
        return Link(
            patient_id,
            folded,
            decision.rule,
            decision.issues + differences,
            [_replaced(other, patient_id) for other in decision.merged],
        )

    def _statement_key(self, patient: Resource) -> str:
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

    def _verified_keys(self, patient: Resource) -> list[bytes]:
        keys = []
        for identifier in patient.get("identifier", ()):
            value = str(identifier.get("value", "")).strip().upper()
            system = self._rules.verified.get(identifier.get("system", ""))
            if system is not None and system.holds(value, patient):
                keys.append(_hashed("verified", system.system, value))
        return keys

    def _local_keys(self, patient: Resource) -> list[bytes]:
        """Keys of (system, value, birth date, name) where all four are stated."""
        born, name = str(patient.get("birthDate", "")), _name(patient)
        if len(born) != len("YYYY-MM-DD") or not name:
            return []
        return [
            _hashed("local", identifier["system"], str(identifier["value"]), born, name)
            for identifier in patient.get("identifier", ())
            if identifier.get("system") and identifier.get("value")
        ]

    def _number_keys(self, patient: Resource) -> list[bytes]:
        """Keys of local numbers alone: they never link, but say that a number was met before."""
        return [
            _hashed("number", identifier["system"], str(identifier["value"]))
            for identifier in patient.get("identifier", ())
            if identifier.get("value")
            and identifier.get("system") not in (None, *self._rules.verified)
        ]

    def _without_other_persons(
        self,
        ledger: IdentityLedger,
        of_local: list[str],
        of_verified: list[str],
        verified: list[bytes],
        issues: list[Issue],
    ) -> list[str]:
        """`of_local` less the Patients that are verified to be somebody else."""
        same = []
        for patient_id in of_local:
            theirs = {
                key
                for each in _read_statements(ledger, patient_id)
                for key in self._verified_keys(each.patient)
            }
            if patient_id in of_verified or not theirs or theirs & set(verified):
                same.append(patient_id)
            else:
                issues.append(Issue("FB-5101", "warning", "Patient.identifier"))
        return same


def _read_statements(ledger: IdentityLedger, patient_id: str) -> list[Statement]:
    return [
        Statement(feed, key, rank, parse_json(body))
        for feed, key, rank, body in ledger.identity_statements(patient_id)
    ]


def _write_statement(ledger: IdentityLedger, patient_id: str, each: Statement) -> None:
    body = render_json(each.patient)
    ledger.put_identity_statement(patient_id, each.feed, each.key, each.rank, body)


def _name(patient: Resource) -> str:
    for name in patient.get("name", ()):
        text = name.get("text") or "".join([name.get("family", ""), *name.get("given", ())])
        if folded := "".join(str(text).split()).casefold():
            return folded
    return ""


def _hashed(*parts: str) -> bytes:
    return hashlib.blake2b("\x1f".join(parts).encode(), digest_size=16).digest()


def _distinct(patient_ids: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(patient_ids))


def _link_to(patient_id: str, kind: str) -> Resource:
    return {"other": {"reference": f"Patient/{patient_id}"}, "type": kind}


def _replaced(patient_id: str, survivor: str) -> Resource:
    """What is left of a Patient whose statements moved to `survivor`."""
    return {
        "resourceType": "Patient",
        "id": patient_id,
        "active": False,
        "link": [_link_to(survivor, "replaced-by")],
    }

"""Finds or makes the one Patient behind what a source says of a person.

Two statements are of one person when they share a verified identifier, or else the same
local identifier together with the same full birth date and the same name.  An unverified
identifier alone never links, and what an operator took apart stays apart.  Each decision is
written to the store's link log with the rule behind it (`decisions`), and can be taken back
(`unlink`).  https://hl7.org/fhir/R4/patient.html (Patient.link)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from fhir_bridge import clock
from fhir_bridge.errors import Issue
from fhir_bridge.fhir import Resource
from fhir_bridge.identity.decisions import log_detail
from fhir_bridge.identity.fold import Statement, fold
from fhir_bridge.identity.keys import PersonKeys, replaced_key, separated_key
from fhir_bridge.identity.rules import IdentityRules
from fhir_bridge.identity.statements import (
    IdentityLedger,
    Statements,
    are_apart,
    link_to,
    merged,
    write_statement,
)

__all__ = ["Link", "Linker", "Rule"]

Rule = Literal["verified-identifier", "local-identifier", "new", "separated"]


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


@dataclass(slots=True)
class _Said:
    """A statement on its way: who said it, in which message, and the keys it is found by."""

    ledger: IdentityLedger
    statements: Statements
    patient: Resource
    feed: str
    person: str
    message: Callable[[], str]
    verified: list[bytes]
    local: list[bytes]
    numbers: list[bytes]
    issues: list[Issue] = field(default_factory=list)

    @property
    def keys(self) -> list[bytes]:
        return [*self.verified, *self.local, *self.numbers]


class Linker:
    """Links statements by `rules`; `sources` gives the source kind of each feed."""

    def __init__(self, rules: IdentityRules, sources: Mapping[str, str]) -> None:
        self._rules = rules
        self.keys = PersonKeys(rules)
        self._ranks = {feed: rules.rank(kind) for feed, kind in sources.items()}

    def link(
        self,
        ledger: IdentityLedger,
        patient: Resource,
        feed: str,
        message: Callable[[], str] = str,
    ) -> Link:
        """The Patient that `patient`, as stated by `feed`, belongs to.

        `message` gives the digest of the message that said it, for the link log.
        """
        keys = self.keys
        said = _Said(
            ledger, Statements(ledger), patient, feed, keys.person(patient), message,
            keys.verified(patient), keys.local(patient), keys.numbers(patient),
        )  # fmt: skip
        separated = separated_key(feed, said.person)
        known = ledger.identity_keys([separated, *said.keys])
        if separated in known:
            return self._keep_separated(said, said.statements.living(known[separated]))
        return self._link(said, known)

    def living(self, ledger: IdentityLedger, patient_id: str) -> str:
        """The Patient that this one is part of now: mostly itself."""
        return Statements(ledger).living(patient_id)

    def person(self, ledger: IdentityLedger, identifier: Resource) -> str:
        """The Patient who has a number; "" when nobody is known by it."""
        keys = self.keys.numbers({"identifier": [identifier]})
        known = ledger.identity_keys(keys)
        return next((self.living(ledger, known[key]) for key in keys if key in known), "")

    def _link(self, said: _Said, known: Mapping[bytes, str]) -> Link:
        living = said.statements.living
        of_verified = _distinct(living(known[key]) for key in said.verified if key in known)
        of_local = _distinct(living(known[key]) for key in said.local if key in known)
        if said.verified:
            of_local = self._without_other_persons(said, of_local, of_verified)
        rule: Rule = (
            "verified-identifier" if of_verified else "local-identifier" if of_local else "new"
        )
        if rule == "new" and not said.issues and any(number in known for number in said.numbers):
            said.issues.append(Issue("FB-5104", "warning", "Patient.identifier"))
        candidates = _distinct([*of_verified, *of_local]) or [clock.fresh_id()]
        patient_id, others = candidates[0], _without_separated(said, candidates)
        for other in others:
            self._merge(said, patient_id, other)
        folded = self._state(said, patient_id, rule)
        said.ledger.set_identity_keys(dict.fromkeys(said.keys, patient_id))
        replaced = [_replaced(other, patient_id) for other in others]
        return Link(patient_id, folded, rule, said.issues, replaced)

    def _keep_separated(self, said: _Said, patient_id: str) -> Link:
        """A record that an operator took out of a Patient stays where it was put."""
        folded = self._state(said, patient_id, "separated")
        said.ledger.add_identity_keys([(key, patient_id) for key in said.keys])
        return Link(patient_id, folded, "separated", said.issues)

    def _merge(self, said: _Said, patient_id: str, other: str) -> None:
        """Moves what is said of `other`, and what it is found by, to `patient_id`."""
        ledger, statements = said.ledger, said.statements.of(patient_id)
        keys = [replaced_key(other)]
        for each in [*said.statements.of(other), merged(other)]:
            statements.append(each)
            write_statement(ledger, patient_id, each)
            keys += self.keys.all(each.patient) if each.feed else []
        ledger.set_identity_keys(dict.fromkeys(keys, patient_id))
        message = said.message()
        ledger.log_link(
            patient_id, said.feed, "", "merge", log_detail(message=message, other=other)
        )
        ledger.log_link(
            other, said.feed, "", "replaced", log_detail(message=message, other=patient_id)
        )

    def _state(self, said: _Said, patient_id: str, rule: Rule) -> Resource:
        """Writes the statement and, when it is the first of its kind, the decision; folds."""
        statements = said.statements.of(patient_id)
        own = (said.feed, said.person)
        earlier = next((s for s in statements if (s.feed, s.key[:32]) == own), None)
        # With the Patient in its key a statement never leaves its Patient by being said anew.
        key = earlier.key if earlier else f"{said.person}.{patient_id}"
        rank = self._ranks.get(said.feed, self._rules.rank(""))
        before = earlier.patient if earlier else {}
        stated = Statement(said.feed, key, rank, before | said.patient)
        if earlier is None or before != stated.patient:
            statements = [s for s in statements if s is not earlier] + [stated]
            write_statement(said.ledger, patient_id, stated)
        if earlier is None:
            detail = log_detail(message=said.message(), patient=said.patient)
            said.ledger.log_link(patient_id, said.feed, key, rule, detail)
        folded, differences = fold(patient_id, statements)
        said.issues += differences
        return folded

    def _without_other_persons(
        self, said: _Said, of_local: list[str], of_verified: list[str]
    ) -> list[str]:
        """`of_local` less the Patients that are verified to be somebody else."""
        same = []
        for patient_id in of_local:
            theirs = {
                key
                for each in said.statements.of(patient_id)
                for key in self.keys.verified(each.patient)
            }
            if patient_id in of_verified or not theirs or theirs & set(said.verified):
                same.append(patient_id)
            else:
                said.issues.append(Issue("FB-5101", "warning", "Patient.identifier"))
        return same


def _without_separated(said: _Said, candidates: list[str]) -> list[str]:
    """The other candidates, less those that an operator told to be somebody else."""
    joined = [(candidates[0], said.statements.of(candidates[0]))]
    for other in candidates[1:]:
        theirs = (other, said.statements.of(other))
        if any(are_apart(each, theirs) for each in joined):
            said.issues.append(Issue("FB-5105", "warning", "Patient.identifier"))
        else:
            joined.append(theirs)
    return [patient_id for patient_id, _ in joined[1:]]


def _distinct(patient_ids: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(patient_ids))


def _replaced(patient_id: str, survivor: str) -> Resource:
    """What is left of a Patient whose statements moved to `survivor`."""
    return {
        "resourceType": "Patient",
        "id": patient_id,
        "active": False,
        "link": [link_to(survivor, "replaced-by")],
    }

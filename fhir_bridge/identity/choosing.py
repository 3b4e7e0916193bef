"""Which Patient a statement belongs to, and which others turn out to be the same person."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from fhir_bridge import clock
from fhir_bridge.fhir import Resource, render_json
from fhir_bridge.identity.deciding import Deciding, shown_numbers
from fhir_bridge.identity.evidence import Evidence, Verdict, all_facts, contradict
from fhir_bridge.identity.facts import compare, facts_of
from fhir_bridge.identity.keys import also_key, number_key, replaced_key
from fhir_bridge.identity.stated_patient import StatedPatient
from fhir_bridge.identity.statements import Statement, are_apart

__all__ = ["Choice", "Rule", "choose", "not_taken"]

Rule = Literal["verified-identifier", "number", "local-identifier", "new", "apart", "separated"]


@dataclass(frozen=True, slots=True)
class Choice:
    """The Patient and the rule; `others` become part of it.

    `contradicted` are Patients whose numbers the statement names and who are somebody else;
    `not_taken` are elements that the message says differently and may not correct.
    """

    patient_id: str
    rule: Rule
    others: list[str] = field(default_factory=list)
    contradicted: list[str] = field(default_factory=list)
    not_taken: frozenset[str] = frozenset()


def choose(deciding: Deciding, said: StatedPatient, known: Mapping[bytes, str]) -> Choice:
    """The Patient of `said`, given who is `known` by its keys; contradictions are told."""
    return _Choosing(deciding, said, known).choice()


class _Choosing:
    """One statement and those whose keys it has."""

    def __init__(self, deciding: Deciding, said: StatedPatient, known: Mapping[bytes, str]) -> None:
        self._deciding = deciding
        self._said = said
        self._known = known
        self._verdicts: list[Verdict] = []

    def choice(self) -> Choice:
        said = self._said
        verified = self._living(said.verified)
        numbered = self._living([*said.exact, *said.numbers, *map(also_key, said.records)])
        if not numbered and not verified:
            return self._unnumbered()
        if len({*verified, *numbered}) == 1 and self._is_plain(verified):
            rule: Rule = "verified-identifier" if verified else "number"
            return Choice((verified or numbered)[0], rule, self._others([], verified or numbered))
        return self._weigh(verified, numbered)

    def _is_plain(self, verified: list[str]) -> bool:
        """Whether every key says the same, so that no fact need be looked at."""
        said, known = self._said, self._known
        has_exact = any(key in known for key in said.exact)
        return has_exact and (not said.verified or bool(verified))

    def _weigh(self, verified: list[str], numbered: list[str]) -> Choice:
        evidence = Evidence(self._deciding.rules, self._deciding.keys, self._said.patient)
        of = self._deciding.statements.of
        accepted: Verdict | None = None
        for each in numbered:
            verdict = evidence.judge(each, of(each))
            self._verdicts.append(verdict)
            if verdict.fits and accepted is None:
                accepted = verdict
        if verified and (accepted is None or accepted.patient_id != verified[0]):
            return self._verified(verified, accepted)
        if accepted is not None:
            return self._accepted(accepted, verified)
        return self._apart()

    def _verified(self, verified: list[str], accepted: Verdict | None) -> Choice:
        """A verified number leads to somebody, and the local number does not, or to another."""
        person = verified[0]
        others: list[str] = []
        if accepted is not None:
            if self._are_one(person, accepted):
                others.append(accepted.patient_id)
            else:
                self._tell("verified", person, accepted)
        contradicted = self._contradicting({person, *others}, person)
        return Choice(
            person, "verified-identifier", self._others(others, verified, person), contradicted
        )

    def _are_one(self, person: str, accepted: Verdict) -> bool:
        """Whether the person by the local number is the one by the verified number.

        So it is when the statement agrees with both, or nothing is known of the former; a
        change of facts may be believed when the latter says the same.  What comes late changes
        nothing: had it come in time, the number would have led to the latter ever since.
        """
        deciding = self._deciding
        of = deciding.statements.of
        theirs = all_facts(of(accepted.patient_id), deciding.rules, deciding.keys)
        if all(facts.are_none for facts in theirs):
            return True
        if contradict(theirs, all_facts(of(person), deciding.rules, deciding.keys)):
            return False
        if accepted.compared.agree_fully or self._is_late(of(accepted.patient_id)):
            return True
        evidence = Evidence(deciding.rules, deciding.keys, self._said.patient)
        return self._may_correct and evidence.judge(person, of(person)).compared.agree_fully

    def _is_late(self, statements: Iterable[Statement]) -> bool:
        """Whether the source has said something newer of the person behind its number."""
        saying, own = self._deciding.saying, self._said.own
        return any(
            each.feed == saying.speaker and each.record == own and each.said.at > saying.at
            for each in statements
        )

    def _accepted(self, accepted: Verdict, verified: list[str]) -> Choice:
        """The number leads to the person; what the message may not correct is left out."""
        left_out: frozenset[str] = frozenset()
        if accepted.kind == "corrected" and not self._may_correct:
            left_out = _left_out(self._deciding, accepted.compared.changed)
        person = accepted.patient_id
        others = self._same_by_other_numbers(person)
        contradicted = self._contradicting({person, *others}, person, tell=False)
        rule: Rule = "verified-identifier" if person in verified else "number"
        return Choice(person, rule, self._others(others, verified, person), contradicted, left_out)

    def _same_by_other_numbers(self, person: str) -> list[str]:
        """Those whom another number of the statement names and who agree in name and birth."""
        deciding, others = self._deciding, list[str]()
        facts = all_facts(deciding.statements.of(person), deciding.rules, deciding.keys)
        for verdict in self._verdicts:
            other = verdict.patient_id
            if other == person or not self._by_another_number(person, other):
                continue
            theirs = all_facts(deciding.statements.of(other), deciding.rules, deciding.keys)
            is_nobody = all(each.are_none for each in theirs)
            agree = any(compare(a, b).agree_fully for a in facts for b in theirs)
            fits = is_nobody or (verdict.compared.agree_fully and agree)
            if verdict.fits and fits and not contradict(facts, theirs):
                others.append(other)
            else:
                self._tell("numbers", person, verdict)
        return others

    def _by_another_number(self, person: str, other: str) -> bool:
        """Whether `other` goes by a number of the statement that `person` does not go by."""
        return any(
            other in self._living([number_key(record)])
            and person not in self._living([number_key(record), also_key(record)])
            for record in self._said.records
        )

    def _apart(self) -> Choice:
        """The number is somebody else's: a Patient of its own, for a person to look at."""
        said, first = self._said, self._verdicts[0]
        patient_id = self._id_by_facts()
        for verdict in self._verdicts:
            self._tell(verdict.kind, patient_id, verdict)
        shared = self._living(said.shared)
        contradicted = [each.patient_id for each in self._verdicts]
        if shared and first.kind == "verified":
            return Choice(shared[0], "local-identifier", [], contradicted)
        return Choice(patient_id, "apart", [], contradicted)

    def _unnumbered(self) -> Choice:
        """Nobody has the numbers: another identifier with name and birth date, else new."""
        said = self._said
        shared = self._living(said.shared)
        if shared:
            return Choice(shared[0], "local-identifier", self._others(shared[1:], shared))
        if said.records:
            patient_id = said.first_id
            is_taken = replaced_key(patient_id) in self._known
            return Choice(self._id_by_facts() if is_taken else patient_id, "new")
        if said.own[1] and said.patient.get("name"):
            return Choice(self._id_by_facts(), "new")
        digest = _digest(said.patient)
        message = self._deciding.saying.message()
        return Choice(clock.stable_id("Patient", "", message, digest), "new")

    def _id_by_facts(self) -> str:
        said = self._said
        names = [each.get("text") for each in said.patient.get("name", ())]
        facts = {"name": names, "born": said.patient.get("birthDate"), "own": len(said.verified)}
        return clock.stable_id("Patient", *said.own, _digest(facts))

    # --- shared ---------------------------------------------------------------------------

    @property
    def _may_correct(self) -> bool:
        return _may_correct(self._deciding)

    def _living(self, keys: Iterable[bytes]) -> list[str]:
        living = self._deciding.statements.living
        return list(dict.fromkeys(living(self._known[key]) for key in keys if key in self._known))

    def _contradicting(self, same: set[str], person: str, *, tell: bool = True) -> list[str]:
        """Those whose number the statement has and who are not the person."""
        found = [each for each in self._verdicts if each.patient_id not in same]
        for verdict in found:
            if tell and not verdict.fits:
                self._tell(verdict.kind, person, verdict)
        return [each.patient_id for each in found]

    def _tell(self, kind: str, person: str, verdict: Verdict) -> None:
        """A contradiction: an issue for the sender, a line on the list for the site."""
        code = {"verified": "FB-5101", "overlay": "FB-5108", "numbers": "FB-5110"}[kind]
        elements = ", ".join(verdict.compared.changed)
        self._deciding.warn(code, **({"elements": elements} if elements else {}))
        numbers = shown_numbers(self._said.records)
        changed = list(verdict.compared.changed)
        self._deciding.hold(kind, verdict.patient_id, person, numbers=numbers, elements=changed)

    def _others(self, more: list[str], verified: list[str], person: str = "") -> list[str]:
        """Those to join, less the ones that an operator told to be somebody else."""
        deciding = self._deciding
        of = deciding.statements.of
        first = person or verified[0]
        shared = self._living(self._said.shared)
        joined = [(first, of(first))]
        for other in dict.fromkeys([*more, *verified, *shared]):
            if other == first:
                continue
            theirs = (other, of(other))
            if any(are_apart(each, theirs) for each in joined):
                deciding.warn("FB-5105")
                deciding.hold("apart", first, other)
            else:
                joined.append(theirs)
        return [each for each, _ in joined[1:]]


def not_taken(deciding: Deciding, said: StatedPatient, known: Resource) -> frozenset[str]:
    """What a message may not correct of the person that its source described as `known`."""
    if _may_correct(deciding):
        return frozenset()
    corrections = deciding.rules.corrections
    facts = facts_of(said.patient, corrections), facts_of(known, corrections)
    changed = compare(*facts).changed
    return _left_out(deciding, changed) if changed else frozenset()


def _left_out(deciding: Deciding, changed: Sequence[str]) -> frozenset[str]:
    """The JSON properties of elements that are told and not taken."""
    deciding.warn("FB-5104", elements=", ".join(changed))
    return frozenset([*changed, *(f"_{element}" for element in changed)])


def _may_correct(deciding: Deciding) -> bool:
    saying = deciding.saying
    return deciding.rules.corrections.may_correct(saying.feed, saying.event)


def _digest(stated: Resource) -> str:
    return hashlib.blake2b(render_json(stated), digest_size=16).hexdigest()

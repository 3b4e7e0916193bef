"""Whether a statement whose number is known is of the person that the number leads to.

Within one authority the local number identifies.  Against it speaks a verified number of
somebody else, or that most facts changed at once (an overlay: the number was given to another
person).  One changed fact is a correction.  `mappings/identity/corrections.toml` sets the
measure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from fhir_bridge.fhir import Resource
from fhir_bridge.identity.facts import Compared, Facts, compare, facts_of
from fhir_bridge.identity.keys import PersonKeys
from fhir_bridge.identity.rules import IdentityRules
from fhir_bridge.identity.statements import Statement
from fhir_bridge.update import REST

__all__ = ["Evidence", "Verdict", "all_facts", "contradict"]

Kind = Literal["same", "corrected", "overlay", "verified"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the facts say: the same person, a corrected one, or another one and why."""

    patient_id: str
    kind: Kind
    compared: Compared

    @property
    def fits(self) -> bool:
        """Whether the number may be believed."""
        return self.kind in {"same", "corrected"}


class Evidence:
    """Judges a statement by the facts that a Patient's statements tell."""

    def __init__(self, rules: IdentityRules, keys: PersonKeys, patient: Resource) -> None:
        self._rules = rules
        self._keys = keys
        self.facts = facts_of(patient, rules.corrections, keys.verified(patient))

    def judge(self, patient_id: str, statements: Sequence[Statement]) -> Verdict:
        """The verdict on the Patient behind `statements`.

        Each statement is compared by itself: what one source corrected, another still says in
        the old form, and the person is the same by either.
        """
        theirs = all_facts(statements, self._rules, self._keys)
        if _other_numbers(self.facts, theirs):
            return Verdict(patient_id, "verified", Compared())
        compared = [compare(self.facts, facts) for facts in theirs]
        best = min(compared, key=lambda c: (len(c.changed), -len(c.stated)), default=Compared())
        if not best.changed:
            return Verdict(patient_id, "same", best)
        is_overlay = self._is_overlay(best) and not self._is_former(best.changed, statements)
        return Verdict(patient_id, "overlay" if is_overlay else "corrected", best)

    def _is_overlay(self, compared: Compared) -> bool:
        measure = self._rules.corrections
        return measure.is_overlay(len(compared.changed), len(compared.stated))

    def _is_former(self, changed: Sequence[str], statements: Iterable[Statement]) -> bool:
        """Whether the person once was who is stated now, or became it by one correction.

        Of what is `changed` something was once as it is stated now.
        """
        former = (facts for each in statements if each.feed != REST for facts in each.former)
        for compared in (compare(self.facts, facts) for facts in former):
            agreed = set(compared.stated).difference(compared.changed)
            if not agreed.isdisjoint(changed) and not self._is_overlay(compared):
                return True
        return False


def all_facts(
    statements: Iterable[Statement], rules: IdentityRules, keys: PersonKeys
) -> list[Facts]:
    """The facts of each statement of a source; clients of the REST interface are none."""
    patients = [each.patient for each in statements if each.feed and each.feed != REST]
    return [facts_of(each, rules.corrections, keys.verified(each)) for each in patients]


def contradict(one: Sequence[Facts], two: Sequence[Facts]) -> bool:
    """Whether two persons have verified numbers, and none in common."""
    return any(_other_numbers(facts, two) for facts in _together(one))


def _other_numbers(facts: Facts, theirs: Sequence[Facts]) -> bool:
    known = {number for each in theirs for number in each.verified}
    shared = {system for system, _ in known} & {system for system, _ in facts.verified}
    return bool(shared) and known.isdisjoint(facts.verified)


def _together(facts: Sequence[Facts]) -> list[Facts]:
    return [Facts(verified=frozenset(number for each in facts for number in each.verified))]

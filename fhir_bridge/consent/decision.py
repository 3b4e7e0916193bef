"""The answer: may this be shown to who asks, by which Consent; for one resource, or as rules.

https://profiles.ihe.net/ITI/PCF/volume-1.html

A decision is made once for a request and a person, and is then asked for each resource, or its
rules are written into a query: the last rule that is about a resource decides.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from fhir_bridge.consent.policy import Policy, policy_permits
from fhir_bridge.consent.provision import Consent
from fhir_bridge.consent.request import ConsentRequest
from fhir_bridge.consent.rules import Rule, rules_of
from fhir_bridge.fhir import Resource

__all__ = ["Decision", "Verdict", "decide"]

Outcome = Literal["permit", "restricted", "deny"]
Reason = Literal["policy", "consent"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether one resource may be shown, by the site's policy or by a Consent (its id)."""

    permitted: bool
    consent: str = ""

    @property
    def reason(self) -> Reason:
        """What it rests on."""
        return "consent" if self.consent else "policy"


@dataclass(frozen=True, slots=True)
class Decision:
    """`rules` begin with one that is about everything; `restricted` means: some resources."""

    rules: tuple[Rule, ...]

    @property
    def outcome(self) -> Outcome:
        """Everything, something, or nothing."""
        permits = {rule.permits for rule in self.rules}
        return "restricted" if len(permits) == 2 else "permit" if True in permits else "deny"

    @property
    def consents(self) -> tuple[str, ...]:
        """The ids of the Consents that it rests on."""
        return tuple(dict.fromkeys(rule.consent for rule in self.rules if rule.consent))

    @property
    def reason(self) -> Reason:
        """What it rests on."""
        return "consent" if self.consents else "policy"

    def of(self, resource: Resource) -> Verdict:
        """The verdict on one resource of the person."""
        rule = next(rule for rule in reversed(self.rules) if rule.matches(resource))
        return Verdict(rule.permits, rule.consent)


def decide(consents: Iterable[Consent], request: ConsentRequest, policy: Policy) -> Decision:
    """What the Consents of one person, and the site's policy, say to a request."""
    rules = (Rule(policy_permits(policy, request)), *rules_of(consents, request))
    return Decision(_needed(rules))


def _needed(rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
    """The rules from the last one that is about everything, without those that change nothing."""
    start = max(number for number, rule in enumerate(rules) if not rule.criteria)
    first, *others = rules[start:]
    while others and others[0].permits == first.permits:
        del others[0]
    return (first, *others)

"""The rules that concern one request, in the order in which they are read: the last one decides.

https://profiles.ihe.net/ITI/PCF/content.html.  Our readings of what the texts leave open are in
docs/decisions/adr-2611-consent.md.

A rule's depth is how special it is: 0 what a Consent starts from, 1 its root provision, 2 an
exception to that, and so on.  At the same depth a deny comes after a permit, also when another
Consent says it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from fhir_bridge.consent.criteria import ANY, Criteria
from fhir_bridge.consent.policy import is_usual
from fhir_bridge.consent.provision import MAX_DEPTH, Consent, Provision
from fhir_bridge.consent.request import ConsentRequest
from fhir_bridge.fhir import Resource

__all__ = ["Rule", "rules_of"]


@dataclass(frozen=True, slots=True)
class Rule:
    """Permits, or forbids, the resources of its criteria, by a Consent ("": the site's policy)."""

    permits: bool
    criteria: Criteria = ANY
    consent: str = ""
    depth: int = 0

    def matches(self, resource: Resource) -> bool:
        """Whether the rule is about a resource."""
        return self.criteria.matches(resource, permits=self.permits)


def rules_of(consents: Iterable[Consent], request: ConsentRequest) -> tuple[Rule, ...]:
    """The rules of one person's Consents for a request, in order."""
    rules = [
        rule
        for consent in consents
        if consent.in_force
        for rule in dict.fromkeys(_of_consent(consent, request))
    ]
    return tuple(sorted(rules, key=lambda rule: (rule.depth, not rule.permits)))


def _of_consent(consent: Consent, request: ConsentRequest) -> Iterator[Rule]:
    if consent.unreadable:
        yield Rule(False, ANY, consent.id, MAX_DEPTH + 1)
        return
    root = consent.provision
    if root is not None and not request.is_within(root.period):
        return
    if consent.base == "deny" or (consent.base == "permit" and is_usual(request)):
        yield Rule(consent.base == "permit", ANY, consent.id)
    if root is not None:
        yield from _of_provision(root, consent, request, 1)


def _of_provision(
    provision: Provision, consent: Consent, request: ConsentRequest, depth: int
) -> Iterator[Rule]:
    """The rules of a provision, whose own conditions are complete, and of its exceptions."""
    exceptions = [
        rule
        for each in provision.exceptions
        for rule in _of_provision(each.below(provision), consent, request, depth + 1)
    ]
    if provision.type == "permit":
        # An exception that permits for a purpose of its own adds to what is permitted already.
        added = any(rule.permits and rule.depth == depth + 1 for rule in exceptions)
        if request.applies(provision, any_purpose=added):
            if depth == 1:
                yield Rule(False, ANY, consent.id)
            yield Rule(True, provision.criteria, consent.id, depth)
    elif request.applies(provision) and _forbids(provision, consent):
        yield Rule(False, provision.criteria, consent.id, depth)
    yield from exceptions


def _forbids(provision: Provision, consent: Consent) -> bool:
    """A root without a type is what an opt-in leaves out; it opens nothing of an opt-out."""
    return provision.type == "deny" or (consent.base == "permit" and provision.has_conditions)

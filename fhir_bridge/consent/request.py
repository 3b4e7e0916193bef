"""Who asks, why and when: the side of a provision that is known before any resource is.

https://hl7.org/fhir/R4/consent-definitions.html#Consent.provision.actor

What is not known of a request, or of a provision (an actor who is only described), never opens
anything: it lets no permit apply, and it lets every deny apply.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from fhir_bridge.consent.codes import Code, covers_purpose
from fhir_bridge.consent.criteria import Span, ticks
from fhir_bridge.consent.provision import Actor, Provision

__all__ = ["READING", "ConsentRequest"]

READING = frozenset({"access", "use"})
"""What a read is, by the codes of Consent actions; others are collect, correct and disclose."""


@dataclass(frozen=True, slots=True)
class ConsentRequest:
    """One who asks for one person's data.

    `actors` are all that they are, as references or ``system|value`` of identifiers: practitioner,
    roles, organisations, teams, groups, the app.  `purpose` ("", "") is one that is not said.  `may_break_glass`: belongs to those who may.
    """

    actors: frozenset[str]
    purpose: Code
    at: datetime
    actions: frozenset[str] = READING
    may_break_glass: bool = False
    instant: int = field(init=False, compare=False)

    def __post_init__(self) -> None:
        """The time as ticks, once."""
        object.__setattr__(self, "instant", ticks(self.at))

    def applies(self, provision: Provision, *, any_purpose: bool = False) -> bool:
        """Whether a provision is about this request."""
        matches = (
            self._is_actor(provision.actors),
            any_purpose or self._is_purpose(provision.purposes),
            not provision.actions or not self.actions.isdisjoint(provision.actions),
            self.is_within(provision.period),
        )
        if provision.type == "permit":
            return all(match is True for match in matches)
        return all(match is not False for match in matches)

    def is_within(self, period: Span | None) -> bool:
        """Whether the request is made in a period."""
        return period is None or period.meets(self.instant, self.instant)

    def _is_actor(self, actors: Iterable[Actor]) -> bool | None:
        keys = {actor.key for actor in actors}
        if not keys or keys & self.actors:
            return True
        return None if "" in keys or not self.actors else False

    def _is_purpose(self, purposes: tuple[Code, ...]) -> bool | None:
        if not purposes or any(covers_purpose(each, self.purpose) for each in purposes):
            return True
        return None if not self.purpose[1] else False

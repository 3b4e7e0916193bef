"""Who signed with a family doctor: 2,840 of 13,420, families and key groups first.

The share is met exactly at every size by a running quota, household by household, so that
nothing has to be remembered.  A household signs with one doctor; three doctors share all,
which puts about 947 people on each: far over the 600 that the city's rule allows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from fhir_bridge.demo.community import Team, teams
from fhir_bridge.demo.facts import rows, stream
from fhir_bridge.demo.population import AS_OF, Household, Resident, households

__all__ = ["HYPERTENSION_PACKAGE", "Agreement", "agreements", "signed_target"]

_COMMUNITY, _SIGNED = 13_420, 2_840
_NEAR_THE_END = 60

HYPERTENSION_PACKAGE = "P02"

Channel = str  # paper, app, wechat, kiosk, web


@dataclass(frozen=True, slots=True)
class Agreement:
    """One resident's agreement with a team."""

    number: str
    resident: Resident
    head: Resident
    team: Team
    channel: Channel
    signed: date
    begin: date
    end: date
    years: int
    packages: tuple[str, ...]
    status: str  # "signed" | "renewed" | "terminated" | "waiting"

    @property
    def signer(self) -> Resident:
        """Who signed: the resident, or for a child the head of the household."""
        return self.resident if self.resident.age >= 18 else self.head


def signed_target(residents: int) -> int:
    """How many of `residents` are signed.

    >>> signed_target(13_420)
    2840
    """
    return round(residents * _SIGNED / _COMMUNITY)


def agreements(count: int, seed: int) -> Iterator[Agreement]:
    """The agreements in force of a community of `count` residents."""
    loads = dict.fromkeys(teams(seed), 0)
    seen = signed = 0
    for household in households(count, seed):
        seen += len(household.members)
        due = signed_target(seen) - signed
        for_sure = due >= len(household.members) or count - seen < _NEAR_THE_END
        chosen = _chosen(household, due, everyone=for_sure)
        if not chosen:
            continue
        team = min(loads, key=lambda candidate: loads[candidate])
        loads[team] += len(chosen)
        signed += len(chosen)
        for resident in chosen:
            yield _agreement(resident, household.members[0], team, seed)


def _chosen(household: Household, due: int, *, everyone: bool) -> list[Resident]:
    """At most `due` members: all of them, or those who belong to a key group."""
    if due <= 0:
        return []
    ranked = sorted(household.members, key=lambda resident: not resident.groups)
    return [resident for resident in ranked if everyone or resident.groups][:due]


def _agreement(resident: Resident, head: Resident, team: Team, seed: int) -> Agreement:
    random = stream(seed, "agreement", resident.number)
    years = random.choices((1, 2, 3), (62, 20, 18))[0]
    begin = AS_OF - timedelta(days=random.randrange(5, 365 * years - 30))
    end = begin.replace(year=begin.year + years, day=min(begin.day, 28)) - timedelta(days=1)
    fitting = [
        row["code"]
        for row in rows("packages")
        if row["groups"] and row["groups"] in resident.groups
    ]
    taken = tuple(code for code in fitting if random.random() < 0.4)
    return Agreement(
        number=f"QY{begin:%Y}{resident.number + 1:06d}",
        resident=resident,
        head=head,
        team=team,
        channel=random.choices(("paper", "app", "wechat", "kiosk", "web"), (52, 20, 18, 5, 5))[0],
        signed=begin - timedelta(days=random.randrange(0, 20)),
        begin=begin,
        end=end,
        years=years,
        packages=("P01", *taken),
        status="renewed" if random.random() < 0.3 else "signed",
    )

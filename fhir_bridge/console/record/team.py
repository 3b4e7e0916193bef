"""The care teams of a resident as a page shows them: who they are and what each member does.

https://hl7.org/fhir/R4/careteam.html
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from fhir_bridge.console.reader import Reader
from fhir_bridge.console.record.labels import Labels
from fhir_bridge.console.record.reference import view_reference
from fhir_bridge.console.text.display import MAX_ITEMS, list_of
from fhir_bridge.fhir import Resource

__all__ = ["MemberView", "TeamView", "view_teams"]


_MAX_TEAMS, _MAX_MEMBERS = 10, 50


@dataclass(frozen=True, slots=True)
class MemberView:
    """A member of a team; `reference` is "" for one the record does not hold."""

    name: str
    reference: str
    role: str


@dataclass(frozen=True, slots=True)
class TeamView:
    """One roster."""

    reference: str
    name: str
    members: tuple[MemberView, ...]


def view_teams(
    patient: Resource, contracts: list[Resource], reader: Reader, labels: Labels
) -> list[TeamView]:
    """The rosters that the agreements, or else the resident's doctors, lead to."""
    found = list(_contracted(contracts, reader)) or list(_of_doctors(patient, reader))
    teams = {str(team["id"]): team for team in found}
    return [
        TeamView(
            reference=f"CareTeam/{team['id']}",
            name=str(team.get("name", team["id"])),
            members=tuple(
                _member(one, reader, labels) for one in list_of(team, "participant")[:_MAX_MEMBERS]
            ),
        )
        for team in islice(teams.values(), _MAX_TEAMS)
    ]


def _contracted(contracts: list[Resource], reader: Reader) -> Iterator[Resource]:
    for reference in islice(_references(contracts), MAX_ITEMS):
        target = reader.target(reference)
        if target is not None and target["resourceType"] == "CareTeam":
            yield target


def _references(contracts: list[Resource]) -> Iterator[dict[str, Any]]:
    for contract in contracts:
        for term in list_of(contract, "term"):
            for action in list_of(term, "action"):
                yield from list_of(action, "performer")
        for extension in list_of(contract, "extension"):
            yield from list_of(extension, "valueReference")


def _of_doctors(patient: Resource, reader: Reader) -> Iterator[Resource]:
    for doctor in list_of(patient, "generalPractitioner")[:_MAX_TEAMS]:
        participant = ("participant", str(doctor.get("reference", "")))
        yield from reader.find("CareTeam", participant, most=3)


def _member(participant: dict[str, Any], reader: Reader, labels: Labels) -> MemberView:
    roles = [labels.concept(role) for role in list_of(participant, "role")]
    member = view_reference(participant.get("member"), reader)
    return MemberView(member.text, member.reference, " · ".join(filter(None, roles)))

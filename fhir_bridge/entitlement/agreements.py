"""Agreements in force: one rule, asked by residents, guardians and doctors alike.

An agreement covers a person when it is about them, or about a family that they belong to
(https://hl7.org/fhir/R4/contract-definitions.html#Contract.subject).  When it is in force is data
(``profiles/access/agreement.toml``): executed, and today inside ``applies``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from fhir_bridge.access import Conditions, Query, Related, filled, moments
from fhir_bridge.entitlement.record import Look
from fhir_bridge.fhir import Resource

__all__ = ["Agreements"]


@dataclass(frozen=True, slots=True)
class Agreements:
    """Agreements as they are on the day of `look`."""

    look: Look
    conditions: Conditions

    def in_force(self) -> Query:
        """What an agreement satisfies that is in force on the day."""
        return filled(
            self.conditions.in_force, moments(self.look.day, self.look.store.registry.zone)
        )

    def of_teams(self, teams: Iterable[str]) -> tuple[Related, ...]:
        """Whoever is covered by an agreement in force that one of the teams carries out."""
        named = ",".join(f"CareTeam/{each}" for each in sorted(teams))
        return self._covering(
            (*self.in_force(), *filled(self.conditions.of_team, {"teams": named}))
        )

    def covers(self, patient: str) -> bool:
        """Whether an agreement in force covers the patient."""
        return bool(self._about(patient, self.in_force()))

    def last_day(self, patient: str) -> date | None:
        """The last day of the agreements that covered the patient; None where none says it."""
        found = self._about(patient, self.conditions.former)
        ends = (str((each.get("applies") or {}).get("end", ""))[:10] for each in found)
        whole = [each for each in ends if len(each) == 10]
        return date.fromisoformat(max(whole)) if whole else None

    def families(self, patient: str) -> list[Resource]:
        """The families that the patient belongs to."""
        query = (*self.conditions.group, ("present-member", f"Patient/{patient}"))
        return self.look.find("Group", query)

    def _covering(self, query: Query) -> tuple[Related, ...]:
        family = Related("Contract", "subject", query)
        group = Related("Group", "present-member", self.conditions.group, family)
        return (Related("Contract", "subject", query), group)

    def _about(self, patient: str, query: Query) -> list[Resource]:
        subjects = [f"Patient/{patient}"]
        subjects += [f"Group/{each['id']}" for each in self.families(patient)]
        return self.look.find("Contract", (*query, ("subject", ",".join(subjects))))

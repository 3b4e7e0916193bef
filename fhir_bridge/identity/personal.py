"""Which numbers on a Patient are that person's own, so that no second person may hold them.

A number of a verified system counts where it is verified: a guardian's number on a child is
the guardian's.  Numbers of accounts, visits and cards count their thing, not the person
(``mappings/identity/numbers.toml``).  What an operator took apart was looked at already.
https://hl7.org/fhir/R4/valueset-identifier-type.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fhir_bridge.database import Session
from fhir_bridge.fhir import Resource
from fhir_bridge.identity.rules import IdentityRules
from fhir_bridge.identity.statements import Statement, are_apart, made
from fhir_bridge.store.maintenance.shared_identities import AllNumbers
from fhir_bridge.update import UpdateRules

__all__ = ["PersonalNumbers"]


class PersonalNumbers(AllNumbers):
    """The numbers that are personal by the rules of a site, for a check of the record."""

    def __init__(self, rules: IdentityRules) -> None:
        self._rules = rules

    def identifies(self, identifier: Mapping[str, Any], patient: Resource) -> bool:
        """Whether `identifier` is the person's own and nobody else's."""
        if not super().identifies(identifier, patient):
            return False
        verified = self._rules.verified.get(identifier["system"])
        if verified is not None:
            return verified.holds(str(identifier["value"]).strip().upper(), patient)
        return self._rules.identifies(identifier)

    def are_apart(self, session: Session, one: str, other: str) -> bool:
        """Whether an operator judged two Patients to be two persons."""
        decided: dict[str, list[Statement]] = {one: [], other: []}
        for patient_id, key in session.all(
            "SELECT patient_id, key FROM identity_statement WHERE feed = ''"
            " AND patient_id IN (?, ?)",
            (one, other),
        ):
            decided[patient_id].append(made(key, {}, UpdateRules()))
        return are_apart((one, decided[one]), (other, decided[other]))

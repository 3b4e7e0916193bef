"""Which numbers on a Patient are that person's own, so that no second person may hold them.

A number of a verified system counts where it is verified: a guardian's number on a child is
the guardian's.  Numbers of accounts and visits count their thing, not the person.  What an
operator took apart was looked at already.
https://hl7.org/fhir/R4/valueset-identifier-type.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fhir_bridge.fhir import Resource
from fhir_bridge.identity.fold import Statement
from fhir_bridge.identity.rules import IdentityRules
from fhir_bridge.identity.statements import are_apart
from fhir_bridge.store.session import Session
from fhir_bridge.store.shared_identities import AllNumbers

__all__ = ["PersonalNumbers"]

_OF_OTHER_THINGS = frozenset({"ACSN", "AN", "ANC", "AND", "ANT", "FILL", "FN", "PLAC", "VN", "VS"})
"""Codes of HL7 table 0203 for accounts, visits, orders and families."""


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
        kinds = (identifier.get("type") or {}).get("coding") or ()
        return not any(each.get("code") in _OF_OTHER_THINGS for each in kinds)

    def are_apart(self, session: Session, one: str, other: str) -> bool:
        """Whether an operator judged two Patients to be two persons."""
        decided: dict[str, list[Statement]] = {one: [], other: []}
        for patient_id, key in session.all(
            "SELECT patient_id, key FROM identity_statement WHERE feed = ''"
            " AND patient_id IN (?, ?)",
            (one, other),
        ):
            decided[patient_id].append(Statement("", key, 0, {}))
        return are_apart((one, decided[one]), (other, decided[other]))

"""From a caller and the record as it is now to an access.

The roles of a person give, the scopes of an app narrow
(https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html): ``patient/`` to the patient
in context, ``user/`` to what the person may do, ``system/`` to what a backend client was given.  Asked
anew by each request; an answer is kept as long as nothing in the record has changed.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal

from fhir_bridge.access import (
    READING,
    Access,
    Caller,
    Grant,
    Limit,
    Related,
    ResourceScope,
    Role,
    RoleGrant,
    Scopes,
    filled,
    moments,
)
from fhir_bridge.entitlement.agreements import Agreements
from fhir_bridge.entitlement.guardians import wards
from fhir_bridge.entitlement.policy import Policy
from fhir_bridge.entitlement.record import Look
from fhir_bridge.entitlement.teams import teams_of
from fhir_bridge.errors import BridgeError
from fhir_bridge.store import Store

__all__ = ["EntitlementSettings", "Entitlements", "entitled"]

Afterwards = Literal["nothing", "agreements", "recorded"]
_KEPT = 4096


@dataclass(frozen=True, slots=True)
class EntitlementSettings:
    """What a site decides.

    `afterwards`: what a resident sees when no agreement is in force any more; `guardian_age`: the
    age at which guardians see a child's record no longer; `referral_days`: how long a hospital sees a
    patient after the end of a referral.
    """

    afterwards: Afterwards = "agreements"
    guardian_age: int = 14
    referral_days: int = 30


class Entitlements:
    """What callers of one record are entitled to; shared by all threads of a process."""

    def __init__(
        self, store: Store, policy: Policy, settings: EntitlementSettings | None = None
    ) -> None:
        self._store, self._policy = store, policy
        self._settings = settings or EntitlementSettings()
        self._known: OrderedDict[tuple[Caller, date], tuple[tuple[int, str], Access]] = (
            OrderedDict()
        )
        self._lock = threading.Lock()

    def of(self, caller: Caller, now: datetime) -> Access:
        """What the caller may do now.  Raises BridgeError FB-4209 where a scope lacks its context."""
        day = now.astimezone(self._store.registry.zone).date()
        key, pin = (caller, day), self._store.pin()
        with self._lock:
            known = self._known.get(key)
            if known is not None and known[0] == pin:
                self._known.move_to_end(key)
                return known[1]
        found = entitled(caller, self._store, now, self._policy, self._settings)
        access = replace(found, predicates={})
        with self._lock:
            self._known[key] = pin, access
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return access


def entitled(
    caller: Caller,
    store: Store,
    now: datetime,
    policy: Policy,
    settings: EntitlementSettings | None = None,
) -> Access:
    """What the caller may do at this moment; the union of their roles, cut by the scopes.

    Raises BridgeError FB-4209 for scopes of a patient without a patient in context.
    """
    look = Look(store, now.astimezone(store.registry.zone).date())
    agreements = Agreements(look, policy.conditions)
    finder = _Finder(agreements, policy, settings or EntitlementSettings(), caller.purpose)
    grants = [grant for role in caller.roles for grant in finder.of(role)]
    given = Access(tuple(dict.fromkeys(grants)))
    if caller.scopes is None:
        return given
    return given.within(_scoped(caller, caller.scopes, policy.compartment.shared))


def _scoped(caller: Caller, scopes: Scopes, shared: frozenset[str]) -> Access:
    """What the scopes of an app allow, whoever uses it."""
    if scopes.at("patient") and not caller.patient:
        raise BridgeError("FB-4209")
    grants = [_grant(each, None) for each in scopes.at("system" if not caller.account else "user")]
    for each in scopes.at("patient"):
        of_somebody, of_nobody = _types(each, shared)
        if of_somebody is None or of_somebody:
            grants.append(_grant(each, frozenset({caller.patient}), of_somebody))
        if of_nobody:
            grants.append(_grant(each, None, of_nobody))
    return Access(tuple(dict.fromkeys(grants)))


def _types(
    scope: ResourceScope, shared: frozenset[str]
) -> tuple[frozenset[str] | None, frozenset[str]]:
    """The types of a scope that are of a patient (None: all of them), and those of nobody."""
    if scope.resource_type == "*":
        return None, shared
    named = frozenset({scope.resource_type})
    return named - shared, named & shared


def _grant(
    scope: ResourceScope, patients: frozenset[str] | None, types: frozenset[str] | None = None
) -> Grant:
    if types is None and scope.resource_type != "*":
        types = frozenset({scope.resource_type})
    only = (scope.query,) if scope.query else ()
    return Grant(scope.interactions, types, Limit(patients, only=only))


@dataclass(frozen=True, slots=True)
class _Finder:
    """Finds out whom the grants of a role reach on the day."""

    agreements: Agreements
    policy: Policy
    settings: EntitlementSettings
    purpose: str

    def of(self, role: Role) -> Iterable[Grant]:
        """The grants of one role; a name that no file says gives nothing."""
        found = self.policy.roles.get(role.name)
        for each in found.grants if found else ():
            if not each.purposes or self.purpose in each.purposes:
                yield from self._grants(each, role)

    def _grants(self, given: RoleGrant, role: Role) -> Iterable[Grant]:
        types = given.resource_types(self.policy.compartment.shared)
        if given.of == "self" and role.patient and not self.agreements.covers(role.patient):
            yield from self._afterwards(given, types, role.patient)
            return
        patients, related = self._reach(given.of, role)
        if patients == frozenset() or related == ():
            return
        yield Grant(given.may, types, Limit(patients, related, given.only, given.never))

    def _reach(
        self, of: str, role: Role
    ) -> tuple[frozenset[str] | None, tuple[Related, ...] | None]:
        """The patients whom a word means for a role; empty where it means nobody."""
        nobody: frozenset[str] = frozenset()
        if of in {"everybody", "nobody"}:
            return None, None
        if of == "self":
            return frozenset({role.patient}) if role.patient else nobody, None
        if of == "wards":
            age = self.settings.guardian_age
            found = wards(self.agreements, role.patient, age) if role.patient else nobody
            return found, None
        if of == "team" and role.practitioner:
            teams = teams_of(self.agreements.look, role.practitioner)
            return None, self.agreements.of_teams(teams) if teams else ()
        if of == "referred" and role.organization:
            return None, (self._referred(role.organization),)
        return nobody, None

    def _referred(self, organization: str) -> Related:
        look = self.agreements.look
        places = moments(look.day, look.store.registry.zone, self.settings.referral_days)
        accepted = filled(self.policy.conditions.accepted, places)
        return Related("Task", "patient", (*accepted, ("owner", f"Organization/{organization}")))

    def _afterwards(
        self, given: RoleGrant, types: frozenset[str] | None, patient: str
    ) -> Iterable[Grant]:
        """What is left when no agreement is in force: nothing new may be written in any case."""
        may = "".join(each for each in given.may if each in READING)
        if not may or self.settings.afterwards == "nothing":
            return
        limit = Limit(frozenset({patient}), None, given.only, given.never)
        contracts = frozenset({"Contract"}) if types is None else types & {"Contract"}
        if contracts:
            yield Grant(may, contracts, limit)
        last = self.agreements.last_day(patient)
        if self.settings.afterwards == "recorded" and last is not None:
            zone = self.agreements.look.store.registry.zone
            until = (("_lastUpdated", f"le{moments(last, zone)['dusk']}"),)
            yield Grant(may, types, limit.within(Limit(only=(until,))))

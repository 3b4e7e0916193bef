"""Each condition of the predicate, taken out in turn, is noticed by the generated test.

A switch takes out one condition and names the cases that are to notice it: by interaction, and the
callers for whom it matters.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

import pytest

from fhir_bridge.access import Access, Limit
from fhir_bridge.entitlement import agreements, guardians, teams
from fhir_bridge.interactions import context, dispatch
from fhir_bridge.interactions.bundle import change
from fhir_bridge.store.read import history, include
from fhir_bridge.store.select import rights, selector, visible
from tests.access.matrix import CALLERS, Matrix

pytestmark = pytest.mark.timeout(900)

TYPES = (
    "Observation", "Contract", "Patient", "Binary", "CareTeam", "Provenance", "Practitioner", "Slot", "Condition",
    "AuditEvent", "MeasureReport",
)  # fmt: skip


@dataclass(frozen=True)
class Switch:
    """One condition: how it is taken out, and where that shows."""

    name: str
    take_out: Callable[[pytest.MonkeyPatch], None]
    interactions: tuple[str, ...]
    callers: tuple[str, ...] = tuple(CALLERS)
    scopes: tuple[str, ...] = ("no app", "patient, all", "user, limited")


def _set(owner: Any, name: str, value: Any) -> Callable[[pytest.MonkeyPatch], None]:
    return lambda patch: patch.setattr(owner, name, value)


def _without_query(name: str, parameter: str) -> Callable[[pytest.MonkeyPatch], None]:
    """A search of the conditions without one of its parameters."""

    def take_out(patch: pytest.MonkeyPatch) -> None:
        known = agreements.filled

        def filled(query: Any, places: Any) -> Any:
            made = known(query, places)
            return tuple(p for p in made if not (p[0] == name and p[1].startswith(parameter)))

        patch.setattr(agreements, "filled", filled)
        patch.setattr(entitled_module, "filled", filled)

    return take_out


entitled_module = import_module("fhir_bridge.entitlement.entitled")
_within = visible._Within
_way = visible._Way


def _limits(change_of: Callable[[Limit], Limit]) -> Callable[[pytest.MonkeyPatch], None]:
    """The limits of everybody, changed before they become SQL."""

    def take_out(patch: pytest.MonkeyPatch) -> None:
        of = rights.Rights.of

        def changed(self: rights.Rights, resource_type: str) -> tuple[Limit, ...] | None:
            found = of(self, resource_type)
            return None if found is None else tuple(map(change_of, found))

        patch.setattr(rights.Rights, "of", changed)

    return take_out


def _member_of_any(self: Any, row: str) -> Any:
    """As `_member`, without the mark of the compartment."""
    name = self.scope.name("m")
    return _way((f"reference {name}",), ((f"{name}.row_id = {row}", []),), f"{name}.target")


def _always(*_given: Any, **_named: Any) -> Any:
    return ("1=1", [])


def _anything(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(_within, "_leads", _always)


def _no_rules(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(rights.Rights, "rules", lambda _self, _type: ())


def _no_current(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(visible, "_current", _always)


def _all_purposes(patch: pytest.MonkeyPatch) -> None:
    finder = entitled_module._Finder
    of = finder.of

    def without(self: Any, role: Any) -> Any:
        found = self.policy.roles[role.name]
        grants = tuple(replace(each, purposes=frozenset()) for each in found.grants)
        roles = {**self.policy.roles, role.name: replace(found, grants=grants)}
        return of(replace(self, policy=replace(self.policy, roles=roles)), role)

    patch.setattr(finder, "of", without)


def _unowned(patch: pytest.MonkeyPatch) -> None:
    finder = entitled_module._Finder
    referred = finder._referred

    def anybodys(self: Any, organization: str) -> Any:
        found = referred(self, organization)
        return replace(found, query=tuple(pair for pair in found.query if pair[0] != "owner"))

    patch.setattr(finder, "_referred", anybodys)


def _unlimited_chains(patch: pytest.MonkeyPatch) -> None:
    """The other end of a chain is looked for as by somebody who may see everything."""
    candidates = selector.Selector._candidates

    def inner(self: Any, resource_type: str, condition: Any) -> Any:
        mine, depth = self.rights, getattr(self, "_depth", 0)
        self._depth = depth + 1
        if depth:
            self.rights = replace(mine, access=Access.everything())
        try:
            return candidates(self, resource_type, condition)
        finally:
            self.rights, self._depth = mine, depth

    patch.setattr(selector.Selector, "_candidates", inner)


DOCTORS = ("doctor of the first team", "doctor by a role", "doctor who left the team")
MOTHER = ("resident with children",)

SWITCHES = (
    Switch("whose compartment", _anything, ("read foreign",), MOTHER),
    Switch("the mark of the compartment", _set(_within, "_member", _member_of_any), ("read foreign", "search"), DOCTORS + MOTHER),
    Switch("the patients", _limits(lambda each: replace(each, patients=None)), ("search", "read foreign"), MOTHER),
    Switch("the related", _limits(lambda each: replace(each, related=None)), ("search",), DOCTORS),
    Switch("the search of a scope", _limits(lambda each: replace(each, only=())), ("search", "read"), ("operator",)),
    Switch("rules beyond the compartment", _no_rules, ("search",), (*MOTHER, "resident of a family")),
    Switch("status of the agreement", _without_query("status", "executed"), ("search",), (*CALLERS,), ("no app",)),
    Switch("beginning of the agreement", _without_query("applies", "le"), ("search",), ("resident whose agreement ended yesterday",)),
    Switch("end of the agreement", _without_query("applies", "ge"), ("search",), ("resident whose agreement ended yesterday",)),
    Switch("team of the agreement", _without_query("team", ""), ("search",), DOCTORS),
    Switch("state of the referral's task", _without_query("status", "accepted"), ("search",), ("receiving hospital",)),
    Switch("window of the referral", _without_query("period", "ge"), ("search",), ("receiving hospital",)),
    Switch("owner of the referral", _unowned, ("search",), ("receiving hospital",)),
    Switch("time in the team", _set(teams.Look, "is_in", lambda *_: True), ("search",), DOCTORS),
    Switch("age of a child", _set(guardians, "_is_younger", lambda *_: True), ("search",), MOTHER),
    Switch("relation to a child", _set(guardians, "_answers", lambda *_: True), ("search",), MOTHER),
    Switch("purpose of an inspector", _all_purposes, ("search", "read"), ("inspector without a purpose",)),
    Switch("the patient in context", _set(entitled_module, "_scoped", lambda *_: Access.everything()), ("search",), MOTHER + DOCTORS),
    Switch("refusal before the query", _set(dispatch, "require_allowed", lambda *_: None), ("search",), ("hospital IT",)),
    Switch("refusal of an entry", _set(change, "require_allowed", lambda *_: None), ("transaction",), ("hospital IT", "regulator")),
    Switch("reach of what is written", _set(context.Context, "require_reach", lambda *_: None), ("create", "move"), MOTHER + DOCTORS, ("no app", "user, limited")),
    Switch("reach of what is changed", _set(context.Context, "require_changeable", lambda *_: None), ("take",), DOCTORS),
    Switch("rights of what is included", _set(include, "visible_rows", lambda _selector, rows: list(rows)), ("include", "revinclude", "iterate"), DOCTORS + MOTHER),
    Switch("rights at the end of a chain", _unlimited_chains, ("chain", "has"), ("operator", *DOCTORS), ("user, limited", "patient, reading the type", "user, the type")),
    Switch("rights on histories", _set(history, "seen_versions", lambda *_: None), ("type history", "system history"), MOTHER),
)  # fmt: skip


@pytest.mark.parametrize("switch", SWITCHES, ids=lambda switch: switch.name)
def test_a_condition_that_is_taken_out_is_noticed(
    matrix: Matrix, monkeypatch: pytest.MonkeyPatch, switch: Switch
) -> None:
    """Some case answers otherwise; the same cases agree when it is there."""
    cases = [
        (named, interaction, caller, scope)
        for interaction in switch.interactions
        for caller in switch.callers
        for scope in switch.scopes
        for named in TYPES
    ]

    def noticed() -> bool:
        return any(got != expected for got, expected in (matrix.run(*case) for case in cases))

    with monkeypatch.context() as patch:
        switch.take_out(patch)
        assert noticed()

"""Who may see what, decided a second time: slowly, from the policy's data and the JSON of resources.

Nothing of the access engine, of the store or of search is used here; what R4 says of its Patient
compartment and its search parameters comes from the published definitions.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from fhir_bridge.fhir import Resource, definitions

__all__ = ["Case", "Decision"]

TODAY = "2026-12-01"
_SCOPE = re.compile(r"(patient|user|system)/(\*|\w+)\.(\w+)(?:\?(.*))?")


@dataclass(frozen=True)
class Case:
    """Who asks: the name of a role, who that is, the scopes of the app as text (None: no app)."""

    role: str
    who: str = ""
    scopes: str | None = None
    patient: str = ""
    purpose: str = ""


@dataclass
class Decision:
    """The policy of a folder, applied to the current resources by (type, id)."""

    folder: Path
    current: dict[tuple[str, str], Resource]
    guardian_age: int = 14
    referral_days: int = 30
    _whose: dict[tuple[str, str], frozenset[str]] = field(default_factory=dict)

    def may_ask(self, case: Case, letter: str, resource_type: str) -> bool:
        """Whether anything of the type could be within reach."""
        return any(True for _ in self._alternatives(case, letter, resource_type))

    def sees(self, case: Case, letter: str, resource: Resource) -> bool:
        """Whether a resource, as it is now, is within reach."""
        return any(
            self._is_of(resource, patients) and all(_matches(resource, query) for query in only)
            for patients, only in self._alternatives(case, letter, resource["resourceType"])
        )

    def sees_version(self, case: Case, letter: str, version: Resource, newest: Resource) -> bool:
        """Whether an old version is: by the newest one, and of the same patients itself."""
        named = version["resourceType"]
        if not self.sees(case, letter, newest):
            return False
        alternatives = list(self._alternatives(case, letter, named))
        if any(patients is None for patients, _ in alternatives) or self._rules(named):
            return True
        return any(self._members(version) & patients for patients, _ in alternatives if patients)

    # Grants: (patients or None for no limit, searches that must hold)

    def _alternatives(
        self, case: Case, letter: str, resource_type: str
    ) -> Iterator[tuple[frozenset[str] | None, list[str]]]:
        for grant in self._roles[case.role]["grants"]:
            if not self._is_about(grant, case, letter, resource_type):
                continue
            reached, only = self._reach(grant["of"], case), list(grant.get("only", ()))
            if reached == frozenset():
                continue
            if case.scopes is None:
                yield reached, only
                continue
            for level, named, letters, query in _read(case.scopes):
                if named not in {"*", resource_type} or letter not in letters:
                    continue
                if level not in {"patient", "system" if case.role == "system" else "user"}:
                    continue
                both = reached
                if level == "patient" and resource_type not in self._shared:
                    own = frozenset({case.patient})
                    both = own if reached is None else reached & own
                yield both, [*only, *([query] if query else [])]

    def _is_about(self, grant: dict[str, Any], case: Case, letter: str, resource_type: str) -> bool:
        types = self._shared if grant["types"] == "shared" else grant["types"]
        if types != "all" and resource_type not in types:
            return False
        if resource_type in grant.get("except", ()) or letter not in grant["may"]:
            return False
        if grant.get("purposes") and case.purpose not in grant["purposes"]:
            return False
        if grant["of"] == "self" and not self._is_covered(case.who):
            # The setting as the product ships it: their own agreements stay visible.
            return resource_type == "Contract" and letter in "rs"
        return True

    def _reach(self, of: str, case: Case) -> frozenset[str] | None:
        if of in ("everybody", "nobody"):
            return None
        if of == "self":
            return frozenset({case.who})
        if of == "wards":
            return frozenset(self._wards(case.who))
        if of == "team":
            return frozenset(self._of_teams(self._teams(case.who)))
        if of == "referred":
            return frozenset(self._referred(case.who))
        raise ValueError(of)

    # The record

    def _all(self, resource_type: str) -> list[Resource]:
        return [each for (named, _), each in self.current.items() if named == resource_type]

    def _families(self, who: str) -> list[str]:
        wanted = dict(parse_qsl(self._data["family"]["group"]))["identifier"].split(",")
        return [
            each["id"]
            for each in self._all("Group")
            if each.get("type") == "person" and each.get("actual") is True
            and any(f"{one['system']}|" in wanted for one in each.get("identifier", ()))
            and any(
                member["entity"].get("reference") == f"Patient/{who}" and not member.get("inactive")
                for member in each.get("member", ())
            )
        ]  # fmt: skip

    def _in_force(self, contract: Resource) -> bool:
        applies = contract.get("applies", {})
        return (
            contract.get("status") == "executed"
            and "start" in applies
            and applies["start"] <= TODAY <= applies.get("end", "9999")
        )

    def _covers(self, contract: Resource, who: str) -> bool:
        subjects = {each.get("reference") for each in contract.get("subject", ())}
        groups = {f"Group/{each}" for each in self._families(who)}
        return f"Patient/{who}" in subjects or bool(groups & subjects)

    def _is_covered(self, who: str) -> bool:
        return any(self._in_force(c) and self._covers(c, who) for c in self._all("Contract"))

    def _of_teams(self, teams: set[str]) -> set[str]:
        found = set[str]()
        for contract in self._all("Contract"):
            named = {
                action.get("performer", {}).get("reference")
                for term in contract.get("term", ())
                for action in term.get("action", ())
            }
            if self._in_force(contract) and named & {f"CareTeam/{each}" for each in teams}:
                found |= {p["id"] for p in self._all("Patient") if self._covers(contract, p["id"])}
        return found

    def _teams(self, who: str) -> set[str]:
        roles = {
            f"PractitionerRole/{each['id']}"
            for each in self._all("PractitionerRole")
            if each.get("practitioner", {}).get("reference") == f"Practitioner/{who}"
        }
        return {
            team["id"]
            for team in self._all("CareTeam")
            if team.get("status") == "active"
            for each in team.get("participant", ())
            if each["member"].get("reference") in {f"Practitioner/{who}", *roles}
            and each.get("period", {}).get("start", "") <= TODAY
            and each.get("period", {}).get("end", "9999") >= TODAY
        }

    def _referred(self, organization: str) -> set[str]:
        since = "2026-11-01"  # thirty days before today
        return {
            each["for"]["reference"].removeprefix("Patient/")
            for each in self._all("Task")
            if each.get("owner", {}).get("reference") == f"Organization/{organization}"
            and each.get("status") in ("accepted", "in-progress", "on-hold", "completed")
            and "executionPeriod" in each
            and each["executionPeriod"].get("start", "") <= TODAY
            and each["executionPeriod"].get("end", "9999") >= since
        }

    def _wards(self, who: str) -> set[str]:
        found = set[str]()
        guardian = self.current["Patient", who]
        numbers = {(each["system"], each["value"]) for each in guardian.get("identifier", ())}
        for person in self._all("RelatedPerson"):
            own = {(each["system"], each["value"]) for each in person.get("identifier", ())}
            answers = {
                f"{each['system']}|{each['code']}"
                for one in person.get("relationship", ())
                for each in one.get("coding", ())
            } & set(self._data["guardian"]["relationships"])
            if numbers & own and answers:
                found.add(person["patient"]["reference"].removeprefix("Patient/"))
        if guardian["birthDate"] <= f"{2026 - 18}{TODAY[4:]}":
            for family in self._families(who):
                for member in self.current["Group", family]["member"]:
                    if not member.get("inactive"):
                        found.add(member["entity"]["reference"].removeprefix("Patient/"))
        youngest = f"{2026 - self.guardian_age}{TODAY[4:]}"
        return {
            each
            for each in found - {who}
            if self.current["Patient", each]["birthDate"] > youngest and self._is_covered(each)
        }

    # What is of whom

    def _is_of(self, resource: Resource, patients: frozenset[str] | None) -> bool:
        return patients is None or bool(self.of_whom(resource) & patients)

    def of_whom(self, resource: Resource, through: tuple[str, ...] = ()) -> frozenset[str]:
        """The patients that a resource is of, by the compartment and the rules beyond it."""
        named = resource["resourceType"]
        key = (named, resource["id"])
        is_current = not through and self.current.get(key) is resource
        if is_current and key in self._whose:
            return self._whose[key]
        found = set(self._members(resource))
        for rule in self._rules(named) if named not in through else ():
            found |= self._by_rule(rule, resource, (*through, named))
        if is_current:
            self._whose[key] = frozenset(found)
        return frozenset(found)

    def _by_rule(
        self, rule: dict[str, str], resource: Resource, through: tuple[str, ...]
    ) -> set[str]:
        found = set[str]()
        if "by" in rule:
            return {
                each[8:] for each in self.values(resource, rule["by"]) if each[:8] == "Patient/"
            }
        if "through" in rule:
            for reference in self.values(resource, rule["through"]):
                named, _, id_ = reference.partition("/")
                other = self.current.get((named, id_))
                if other is not None and rule.get("of", named) == named:
                    found |= self.of_whom(other, through) if "of" in rule else self._members(other)
            return found
        namer, code = rule["referrer"].split(".")
        own = f"{resource['resourceType']}/{resource['id']}"
        for other in self._all(namer):
            if own in self.values(other, code):
                found |= self.of_whom(other, through)
        return found

    def _members(self, resource: Resource) -> frozenset[str]:
        """By R4's compartment; a type that it leaves out is in it by its parameter ``patient``."""
        named = resource["resourceType"]
        published = definitions().compartments["Patient"].get(named, ()) or ("patient",)
        found = {resource["id"]} if named == "Patient" else set[str]()
        for code in published:
            for each in self.values(resource, code):
                if each.startswith("Patient/"):
                    found.add(each.removeprefix("Patient/"))
        return frozenset(found)

    def values(self, resource: Resource, code: str) -> list[str]:
        """The references under a search parameter."""
        named = resource["resourceType"]
        found: list[str] = []
        for part in self._expression(named, code).split("|"):
            text = part.strip().lstrip("(")
            if text.startswith(f"{named}."):
                path = re.sub(r"\.(where|as)\([^()]*(\([^()]*\))?[^()]*\)", "", text).split(".")[1:]
                found += [
                    str(e.get("reference")) for e in _walk(resource, path) if isinstance(e, dict)
                ]
        return found

    def _expression(self, named: str, code: str) -> str:
        own = self._own_parameters.get((named, code))
        if own is not None:
            return own
        found = definitions().search_parameters.get((named, code))
        return found.expression if found is not None else ""

    @cached_property
    def _own_parameters(self) -> dict[tuple[str, str], str]:
        found = {}
        for path in self.folder.glob("SearchParameter-*.json"):
            data = json.loads(path.read_text(encoding="utf-8"))
            found[data["base"][0], data["code"]] = data["expression"]
        return found

    def _rules(self, named: str) -> list[dict[str, str]]:
        return [each for each in self._compartment["visible"] if each["type"] == named]

    @cached_property
    def _compartment(self) -> dict[str, Any]:
        return tomllib.loads((self.folder / "compartment.toml").read_text(encoding="utf-8"))

    @cached_property
    def _data(self) -> dict[str, Any]:
        return tomllib.loads((self.folder / "agreement.toml").read_text(encoding="utf-8"))

    @property
    def _shared(self) -> list[str]:
        return list(self._compartment["shared"]["types"])

    @cached_property
    def _roles(self) -> dict[str, Any]:
        paths = (self.folder / "roles").glob("*.toml")
        return {each.stem: tomllib.loads(each.read_text(encoding="utf-8")) for each in paths}


def _walk(node: Any, path: list[str]) -> Iterator[Any]:
    if isinstance(node, list):
        for each in node:
            yield from _walk(each, path)
    elif not path:
        yield node
    elif isinstance(node, dict) and path[0] in node:
        yield from _walk(node[path[0]], path[1:])


def _read(scopes: str) -> Iterator[tuple[str, str, str, str]]:
    for word in scopes.split():
        found = _SCOPE.fullmatch(word)
        if found:
            yield found[1], found[2], found[3], found[4] or ""


def _matches(resource: Resource, query: str) -> bool:
    """The few searches that the cases limit by."""
    for name, value in parse_qsl(query):
        if name == "category":
            codes = (c["code"] for one in resource.get("category", ()) for c in one["coding"])
            if resource["resourceType"] != "Observation" or value not in codes:
                return False
        elif name == "patient:missing":
            subject = resource.get("subject", {}).get("reference", "")
            if str(not subject.startswith("Patient/")).lower() != value:
                return False
        else:
            raise ValueError(name)
    return True

"""Consent decisions by IHE's Privacy Consent on FHIR: tokens, reads, searches and profiles.

`tree`/**/matrix.ndjson holds one cell a line; beside it lie the Consents, the resources and the
profiles.  Contested cells (two answers can be defended) are counted apart and fail nothing.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from fhir_bridge.consent import ConsentRequest, Decision, decide, read_consent, residual
from fhir_bridge.fhir import Resource, parse_json
from tests.conformance.damaged import Profiled
from tests.conformance.result import Result

_POLICIES = {
    "Policy-deny": "deny",
    "Policy-all-normal": "permit",
    "Policy-break-glass-only": "break-glass",
}
_OUTCOMES = {"permit": "permit", "restricted": "permit-with-restriction", "deny": "deny"}


def run(tree: Path) -> Iterator[Result]:
    """One result per uncontested cell; how the contested ones fare is printed."""
    contested: Counter[bool] = Counter()
    for matrix in sorted(tree.rglob("matrix.ndjson")):
        site = _Site(matrix.parent)
        for line in matrix.read_text(encoding="utf-8").splitlines():
            cell = json.loads(line)
            found, expected = site.answer(cell)
            if "contested" in cell:
                contested[found == expected] += 1
                continue
            note = "" if found == expected else f"expected {expected}; ours: {found}"
            yield Result(cell["id"], "failed" if note else "passed", note, cell["kind"])
    print(f"  contested, apart: {contested[True]} of {contested.total()} as published")


class _Site:
    """The Consents and resources of one folder, and who belongs to what."""

    def __init__(self, folder: Path) -> None:
        self._profiled = Profiled(folder)
        self._resources = {
            f"{resource['resourceType']}/{resource['id']}": resource
            for path in sorted(folder.glob("resources/*.json"))
            + sorted(folder.glob("consents/*.json"))
            for resource in [parse_json(path.read_bytes())]
        }

    def answer(self, cell: dict[str, Any]) -> tuple[Any, Any]:
        """(ours, the published one)."""
        if cell["kind"] == "profile":
            return self._profiled.verdict(cell), cell["expect"]
        decision, request = self._decision(cell), cell["request"]
        if cell["kind"] == "read":
            verdict = decision.of(self._resources[request["resource"]])
            return "permit" if verdict.permitted else "deny", cell["expect"]
        if cell["kind"] == "search":
            left_out = set(cell.get("ids_contested", ()))
            found = sorted(set(self._found(decision, request["search"])) - left_out)
            return found, sorted(set(cell["expect_ids"]) - left_out)
        outcome = _OUTCOMES[decision.outcome]
        published = cell.get("expect_pcf", {})
        token = _merged(residual(decision)) if outcome != "deny" else []
        named = list(decision.consents) if "doc_id" in published else []
        wanted = [name.removeprefix("Consent/") for name in published.get("doc_id", ())]
        return (outcome, named, token), (
            cell["expect"],
            wanted,
            _merged(published.get("residual", [])),
        )

    def _decision(self, cell: dict[str, Any]) -> Decision:
        request = cell["request"]
        actors = frozenset(self._memberships(request["actor"]))
        asked = ConsentRequest(
            actors,
            (request["purpose"]["system"], request["purpose"]["code"]),
            datetime.fromisoformat(request["at"]),
            may_break_glass=any(actor.startswith("Group/") for actor in actors),
        )
        consents = [read_consent(self._resources[name]) for name in cell["consents"]]
        return decide(consents, asked, _POLICIES[request["default_policy"].rpartition("/")[2]])

    def _memberships(self, actor: str) -> Iterator[str]:
        """The actor, its organisations by PractitionerRole, and the groups that it is a member of."""
        yield actor
        for name, resource in self._resources.items():
            if resource["resourceType"] == "PractitionerRole":
                if resource["practitioner"]["reference"] == actor:
                    yield resource["organization"]["reference"]
            elif resource["resourceType"] == "Group" and any(
                member["entity"]["reference"] == actor for member in resource["member"]
            ):
                yield name

    def _found(self, decision: Decision, search: str) -> Iterator[str]:
        wanted, _, patient = search.partition("?patient=")
        for name, resource in self._resources.items():
            is_wanted = resource["resourceType"] == wanted and _subject(resource) == patient
            if is_wanted and decision.of(resource).permitted:
                yield name


def _subject(resource: Resource) -> str:
    return str(resource.get("subject", {}).get("reference"))


def _merged(rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same rules, neighbours that differ in their labels only written as one: they are ORed."""
    merged: list[dict[str, Any]] = []
    for rule in rules:
        before = merged[-1] if merged else {}
        is_same = set(rule) == set(before) == {"type", "securityLabel"}
        if is_same and rule["type"] == before["type"]:
            labels = before["securityLabel"] + rule["securityLabel"]
            merged[-1] = {**rule, "securityLabel": labels}
        else:
            merged.append(rule)
    return merged

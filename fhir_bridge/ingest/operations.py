"""What a message asks for beside stating: visits move or merge, documents replace others.

An entry of a mapped Bundle may be an operation: its resource is ``Parameters`` and its
``request.url`` names what to do, as FHIR operations are called
(https://hl7.org/fhir/R4/operations.html).  Those on persons belong to the linker; these are
on what hangs on a person: HL7 v2.5.1 chapter 3 (A42 merges visits, A45 moves one), CDA R2
section 4.2.3 (a document that replaces another).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol

from fhir_bridge.errors import Issue
from fhir_bridge.fhir import Resource, parse_json, render_json
from fhir_bridge.update import UpdateRules, retired, stated_at, stored_time

from .aliases import find_alias, keep_aliases, merged_into, point_to
from .comparing import bare
from .containers import Containers, container_key
from .draft import Draft
from .following import Follow
from .naming import business_id

__all__ = ["Operation", "Operations", "read_operation"]

Identifier = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation: its URL (``Encounter/$move``) and the identifiers it names."""

    url: str
    parameters: Resource

    def identifier(self, name: str) -> Identifier:
        """The identifier of a parameter; empty where it is not given."""
        for each in self.parameters.get("parameter", ()):
            if each.get("name") == name:
                found = each.get("valueIdentifier")
                return found if isinstance(found, dict) else {}
        return {}


def read_operation(entry: Any) -> Operation | None:
    """The operation that an entry is; None for one that states a resource."""
    resource, request = entry.get("resource") or {}, entry.get("request") or {}
    url = str(request.get("url", ""))
    if resource.get("resourceType") != "Parameters" or "/$" not in url:
        return None
    return Operation(url, resource)


class Persons(Protocol):
    """What is asked of the linker."""

    def living(self, ledger: Any, patient_id: str, /) -> str:
        """The Patient that this one is part of now: mostly itself."""

    def person(self, ledger: Any, identifier: Resource, /) -> str:
        """The Patient who has a number; "" when nobody is known by it."""


class Operations:
    """Carries out operations of one record that happened at `at` (a stamp).

    `owner` is whose numbers without a system are.
    """

    def __init__(
        self, draft: Draft, rules: UpdateRules, owner: str, persons: Persons, at: int
    ) -> None:
        self._draft = draft
        self._rules = rules
        self._owner = owner
        self._persons = persons
        self._at = at
        self.changed: list[Resource] = []

    def carry_out(self, operation: Operation, containers: Containers, source: str) -> Issue | None:
        """Does what the operation says; an issue where it cannot."""
        match operation.url:
            case "Composition/$replace":
                _replace(operation, containers, source)
                return None
            case "Encounter/$move" | "Account/$move":
                return self._move(operation)
            case "Encounter/$merge" | "Account/$merge":
                return self._merge(operation)
        return _cannot(operation, "no such operation is known")

    def _move(self, operation: Operation) -> Issue | None:
        """A45, A44: what has the number is of another person, with what hangs on it."""
        kind, found = self._find(operation, "source")
        if found is None:
            return Issue("FB-6314", "warning", kind, {"type": kind})
        found = self._renumbered(kind, found, operation)
        new = self._persons.person(self._draft, operation.identifier("target-patient-identifier"))
        if not new:
            return _cannot(operation, "nobody is known by the number that it should go to")
        old = _subject(found)
        if not old or self._persons.living(self._draft, old) == new:
            return None
        rows = self._draft.rows(kind, found["id"])
        if any(stored_time(row.times, row.at, "subject") > self._at for row in rows):
            return None  # something newer says whose it is
        change = Follow(f"{kind}/{found['id']}", f"Patient/{old}", f"Patient/{new}", self._at)
        self._rewrite(kind, found, change)
        self._draft.follow(change)
        return None

    def _renumbered(self, kind: str, found: Resource, operation: Operation) -> Resource:
        """What moves, with the number that it has from now on beside the old one."""
        number = operation.identifier(f"target-{kind.lower()}-identifier")
        numbers = found.get("identifier") or []
        if not number.get("value") or number in numbers:
            return found
        named = found | {"identifier": [*numbers, number]}
        keep_aliases(self._draft, named)
        self._put(kind, named)
        return named

    def _merge(self, operation: Operation) -> Issue | None:
        """A42, A35, A41: one of two becomes part of the other; both are of one person."""
        kind, source = self._find(operation, "source")
        _, target = self._find(operation, "target")
        if source is None or target is None:
            self._await(kind, operation, source, target)
            return Issue("FB-6314", "warning", kind, {"type": kind})
        if source["id"] == target["id"]:
            return None
        if self._persons.living(self._draft, _subject(source)) != self._persons.living(
            self._draft, _subject(target)
        ):
            return _cannot(operation, "the two are of different persons")
        self._put(kind, retired(source, self._rules))
        point_to(self._draft, kind, source, target["id"])
        reference = f"{kind}/{source['id']}"
        self._draft.follow(Follow(reference, reference, f"{kind}/{target['id']}", self._at))
        return None

    def _await(
        self, kind: str, operation: Operation, source: Resource | None, target: Resource | None
    ) -> None:
        """One of two that merge is not known yet: both numbers are of one thing from now on.

        What is known goes on under the number that stays; what comes later meets it.
        """
        old, new = (self._operand(kind, operation, side) for side in ("source", "target"))
        if not old or not new or old["id"] == new["id"]:
            return
        if source is None:
            point_to(self._draft, kind, old, new["id"] if target is None else target["id"])
            return
        point_to(self._draft, kind, new, source["id"])
        numbers = source.get("identifier") or []
        if new["identifier"][0] not in numbers:
            self._put(kind, source | {"identifier": [*numbers, *new["identifier"]]})

    def _operand(self, kind: str, operation: Operation, side: str) -> Resource:
        """The thing that the number of one side names, known or not; empty without a number."""
        identifier = operation.identifier(f"{side}-{kind.lower()}-identifier")
        system, value = str(identifier.get("system", "")), str(identifier.get("value", ""))
        if not value:
            return {}
        id_ = business_id(kind, system, value, self._owner)
        return {"resourceType": kind, "id": id_, "identifier": [identifier]}

    def _find(self, operation: Operation, side: str) -> tuple[str, Resource | None]:
        """The kind that an operation is about, and what it names on one side."""
        kind = operation.url.partition("/")[0]
        identifier = operation.identifier(f"{side}-{kind.lower()}-identifier")
        system, value = str(identifier.get("system", "")), str(identifier.get("value", ""))
        if not value:
            return kind, None
        id_ = merged_into(self._draft, kind, business_id(kind, system, value, self._owner))
        present = self._draft.present(kind, id_)
        if present is None:
            other = find_alias(self._draft, {"resourceType": kind, "identifier": [identifier]})
            present = self._draft.present(kind, other) if other else None
        return kind, None if present is None else bare(present.resource)

    def _rewrite(self, kind: str, resource: Resource, change: Follow) -> None:
        """The resource, and what its sources said of it, with another subject."""
        old, new = change.old, change.new
        version = self._draft.last_version(kind, resource["id"]) + 1
        for row in self._draft.rows(kind, resource["id"]):
            body = (
                None if row.body is None else render_json(_said_of(parse_json(row.body), old, new))
            )
            times = stated_at(row.times, ["subject"], change.at)
            self._draft.put_row(replace(row, version=version, times=times, body=body))
        self._draft.put(_said_of(resource, old, new), version)
        self.changed.append(self._draft_resource(kind, resource["id"]))

    def _put(self, kind: str, resource: Resource) -> None:
        version = self._draft.last_version(kind, resource["id"]) + 1
        for row in self._draft.rows(kind, resource["id"]):
            self._draft.put_row(replace(row, version=version))
        self._draft.put(resource, version)
        self.changed.append(resource)

    def _draft_resource(self, kind: str, id_: str) -> Resource:
        present = self._draft.present(kind, id_)
        if present is None:
            raise AssertionError("it was put a moment ago")
        return present.resource


def _replace(operation: Operation, containers: Containers, source: str) -> None:
    identifier = operation.identifier("source-identifier")
    system, value = str(identifier.get("system", "")), str(identifier.get("value", ""))
    if value:
        containers.take_back(container_key(source, system, value), source)


def _said_of(node: Any, old: str, new: str) -> Any:
    """`node` with every reference to `old` replaced."""
    if isinstance(node, dict):
        return {
            key: new if key == "reference" and value == old else _said_of(value, old, new)
            for key, value in node.items()
        }
    if isinstance(node, list):
        return [_said_of(item, old, new) for item in node]
    return node


def _subject(resource: Resource) -> str:
    subject = resource.get("subject") or {}
    first = subject[0] if isinstance(subject, list) and subject else subject
    text = str(first.get("reference", "")) if isinstance(first, dict) else ""
    return text.removeprefix("Patient/") if text.startswith("Patient/") else ""


def _cannot(operation: Operation, reason: str) -> Issue:
    return Issue("FB-6316", "warning", "", {"operation": operation.url, "reason": reason})

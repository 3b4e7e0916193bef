"""References by number to what has not come yet: logical until it comes.

A map refers to what another message describes by its number
(``Contract?identifier=system|value``).  Where that is in the record, the reference is
literal; where it is not, a literal one would lead nowhere, so type and identifier stand alone
(https://hl7.org/fhir/R4/references.html#logical) until the target comes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fhir_bridge.fhir import Resource, read_back, render_json
from fhir_bridge.store import resource_key

from .comparing import bare
from .draft import Draft

__all__ = ["ByNumber", "make_literal", "settle_by_number"]


@dataclass(slots=True)
class ByNumber:
    """A reference by number that was met: the Reference, and what it leads to."""

    node: dict[str, Any]
    target: str
    system: str
    value: str


def settle_by_number(draft: Draft, met: Sequence[ByNumber], here: Collection[str]) -> set[str]:
    """Makes those logical whose target is neither in the record nor `here`; their targets."""
    away = {each.target for each in met} - set(here)
    if not away:
        return set()
    draft.look_up(_pair(target) for target in away)
    missing = {target for target in away if draft.present(*_pair(target)) is None}
    for each in met:
        if each.target in missing:
            node = each.node
            del node["reference"]
            node["type"] = each.target.partition("/")[0]
            system = {"system": each.system} if each.system else {}
            node["identifier"] = system | {"value": each.value}
    return missing


def make_literal(draft: Draft, new: Iterable[str]) -> list[Resource]:
    """The resources that waited for `new` references, which are in the record from now on."""
    by_key = {resource_key(*_pair(reference)): reference for reference in new}
    changed: list[Resource] = []
    for target, referrer in draft.awaiting(by_key.keys()):
        reference = draft.reference_of(referrer)
        present = draft.present(*_pair(reference)) if reference else None
        if present is None:
            continue
        kind, id_ = _pair(by_key[target])
        numbers = _numbers(draft, kind, id_)
        resource = read_back(render_json(bare(present.resource)))
        if not _point(resource, kind, id_, numbers):
            continue
        version = draft.last_version(resource["resourceType"], resource["id"]) + 1
        for row in draft.rows(resource["resourceType"], resource["id"]):
            body = row.body
            if body is not None:
                said = read_back(body)
                _point(said, kind, id_, numbers)
                body = render_json(said)
            draft.put_row(replace(row, version=version, body=body))
        draft.put(resource, version)
        changed.append(resource)
    return changed


def _numbers(draft: Draft, kind: str, id_: str) -> set[tuple[str, str]]:
    present = draft.present(kind, id_)
    identifiers = (present.resource if present else {}).get("identifier") or ()
    return {
        (str(each.get("system", "")), str(each.get("value", "")))
        for each in ([identifiers] if isinstance(identifiers, dict) else identifiers)
    }


def _point(node: Any, kind: str, id_: str, numbers: set[tuple[str, str]]) -> bool:
    """Gives logical references to one of `numbers` their literal one, in place."""
    found = False
    if isinstance(node, dict):
        identifier = node.get("identifier")
        if node.get("type") == kind and "reference" not in node and isinstance(identifier, dict):
            number = str(identifier.get("system", "")), str(identifier.get("value", ""))
            if number in numbers:
                del node["identifier"], node["type"]
                node["reference"] = f"{kind}/{id_}"
                found = True
        node = list(node.values())
    if isinstance(node, list):
        for item in node:
            if isinstance(item, dict | list):
                found = _point(item, kind, id_, numbers) or found
    return found


def _pair(reference: str) -> tuple[str, str]:
    kind, _, id_ = reference.partition("/")
    return kind, id_

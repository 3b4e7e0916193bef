"""Lets what speaks of one Patient speak of another: after a merge, a move, an undo.

All reference elements of every type that a search parameter reads are followed, in stored
resources and in what their sources said of them (`fhir_bridge.update`), so that the next
folding does not bring the old reference back.  Patients keep their links.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from fhir_bridge.fhir import Resource, parse_json, render_json
from fhir_bridge.search.hashing import resource_key
from fhir_bridge.store import StatementRow, Transaction

__all__ = ["Move", "repoint", "speak_of"]

_PAGE = 500


@dataclass(frozen=True, slots=True)
class Move:
    """References to `old_patient_id` become references to `new_patient_id`.

    All of them; or, with `person`, those of resources that only statements made under this
    source's record of the person speak of (`keys.person_key`).
    """

    old_patient_id: str
    new_patient_id: str
    person: int | None = None


def repoint(tx: Transaction, move: Move) -> list[Resource]:
    """Carries out `move` on what is stored; the resources that changed.

    Reads and writes a page of resources at a time.  Costs nothing where nobody refers to the
    old Patient.
    """
    old, new = f"Patient/{move.old_patient_id}", f"Patient/{move.new_patient_id}"
    changed: list[Resource] = []
    left = 0
    while True:
        stored = tx.referring("Patient", move.old_patient_id, _PAGE + left)
        page = [parse_json(each.body) for each in stored[left:]]
        going = [each for each in page if each["resourceType"] != "Patient"]
        if move.person is not None:
            going = _of_person(tx, going, move.person)
        written = speak_of(tx, going, old, new)
        changed += written
        if len(stored) < _PAGE + left:
            return changed
        left = len(stored) - len(written)


def speak_of(tx: Transaction, resources: Iterable[Resource], old: str, new: str) -> list[Resource]:
    """Writes `resources` with every reference to `old` replaced; those that had one.

    What their sources said is changed too, and counts as gone into the version written.
    """
    changed = [each for each in resources if _replace(each, old, new)]
    if not changed:
        return []
    versions = {
        resource_key(each["resourceType"], each["id"]): written.version
        for each, written in zip(changed, tx.put_many(changed), strict=True)
    }
    said = tx.statements(versions)
    tx.put_statements(
        renamed
        for key, rows in said.items()
        for row in rows
        if (renamed := _renamed(row, rows, versions[key], old, new)) is not row
    )
    return changed


def _of_person(tx: Transaction, resources: list[Resource], person: int) -> list[Resource]:
    """Those that statements under one record of a person made, and no others.

    A Provenance follows when what it is of is the person's: it names the record itself.
    """
    keys = {resource_key(each["resourceType"], each["id"]): each for each in resources}
    said = tx.statements(keys)
    return [
        resource
        for key, resource in keys.items()
        if (rows := said.get(key)) and all(row.person == person for row in rows)
    ]


def _renamed(
    row: StatementRow, rows: Iterable[StatementRow], version: int, old: str, new: str
) -> StatementRow:
    """A statement of a resource whose references were replaced in `version`.

    One without a body is the stored resource.  Where a client of the REST interface wrote
    after the sources, versions stay, so that what it changed is still told from them.
    """
    if row.body is None:
        return replace(row, version=version)
    newest = max(each.version for each in rows)
    body = parse_json(row.body)
    if _replace(body, old, new):
        row = replace(row, body=render_json(body))
    return replace(row, version=version) if row.version == newest == version - 1 else row


def _replace(node: Any, old: str, new: str) -> bool:
    """Replaces references to `old` in place (and in names of what is stated); whether any."""
    found = isinstance(node, dict) and node.get("reference") == old
    if found:
        node["reference"] = new
    for part in list(node.values() if isinstance(node, dict) else node):
        if isinstance(part, dict | list):
            found = _replace(part, old, new) or found
    return found

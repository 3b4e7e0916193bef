"""Two Patients become one: what is said of one, and what it is found by, goes to the other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from fhir_bridge.fhir import Resource
from fhir_bridge.identity.deciding import Deciding, Link
from fhir_bridge.identity.evidence import all_facts, contradict
from fhir_bridge.identity.fold import retired_numbers
from fhir_bridge.identity.keys import Record, number_key, replaced_key
from fhir_bridge.identity.statements import Statement, are_apart, made, merged, retired_key
from fhir_bridge.update import milliseconds

__all__ = ["find", "is_contradicted", "join", "merge_away", "renumbered", "retire"]


def find(deciding: Deciding, record: Record) -> str | None:
    """The living Patient with a number; None when nobody knows it."""
    key = number_key(record)
    known = deciding.ledger.identity_keys([key]).get(key)
    return deciding.statements.living(known) if known else None


def join(deciding: Deciding, patient_id: str, other: str) -> None:
    """Moves what is said of `other`, and what it is found by, to `patient_id`."""
    keys = [replaced_key(other)]
    deciding.open(patient_id)
    for each in list(deciding.open(other)):
        deciding.move(other, patient_id, each)
        keys += deciding.keys.all(each.patient) if each.feed else []
        keys += [number_key(each.record)] if each.record[1] else []
    deciding.put(patient_id, merged(other, deciding.update))
    deciding.ledger.set_identity_keys(dict.fromkeys(keys, patient_id))
    deciding.log(patient_id, "merge", other=other)
    deciding.log(other, "replaced", other=patient_id)
    deciding.replaced_by(other, patient_id)


def is_contradicted(
    deciding: Deciding, patient_id: str, other: str, part: Sequence[Statement] | None = None
) -> bool:
    """Whether two Patients are known to be two persons; then it is put on the list.

    Of `other` only `part` counts, where given: what is said under one number.
    """
    one, two = deciding.statements.of(patient_id), deciding.statements.of(other)
    rules, keys = deciding.rules, deciding.keys
    if are_apart((patient_id, one), (other, two)):
        deciding.warn("FB-5105")
        deciding.hold("apart", patient_id, other)
        return True
    of_other = all_facts(two if part is None else part, rules, keys)
    if contradict(all_facts(one, rules, keys), of_other):
        deciding.warn("FB-5101")
        deciding.hold("verified", patient_id, other)
        return True
    return False


def merge_away(deciding: Deciding, old: Iterable[Record], survivor: str) -> Link:
    """The persons with the numbers `old` become part of `survivor`, whose numbers stay.

    A number that nobody knows makes no Patient: whoever comes with it later is the survivor.
    """
    for record in old:
        known = find(deciding, record)
        if known == survivor and _is_only_number(deciding, survivor, record):
            continue  # merged with itself
        if known is None:
            deciding.ledger.set_identity_keys({number_key(record): survivor})
        elif known != survivor:
            if is_contradicted(deciding, survivor, known):
                continue
            join(deciding, survivor, known)
        retire(deciding, survivor, record)
    return deciding.fold_and_write(survivor, "merge")


def _is_only_number(deciding: Deciding, patient_id: str, record: Record) -> bool:
    """Whether a Patient is known by this number, and by no other of the same authority."""
    statements = deciding.statements.of(patient_id)
    numbers = {each.record for each in statements if each.record[1]} - {
        *retired_numbers(statements)
    }
    return record in numbers and not any(each[0] == record[0] for each in numbers if each != record)


def retire(deciding: Deciding, patient_id: str, record: Record) -> None:
    """A number of a Patient is no longer in use, from the time of the message on."""
    known = deciding.open(patient_id)
    key = retired_key(patient_id)
    present = next((each for each in known if not each.feed and each.key == key), None)
    listed = [*present.patient.get("identifier", ())] if present else []
    if any((each.get("system"), each.get("value")) == record for each in listed):
        return
    found = _identifier(known, record) | {"use": "old"}
    if deciding.saying.at:
        ended = datetime.fromtimestamp(milliseconds(deciding.saying.at) / 1000, UTC)
        found["period"] = found.get("period", {}) | {"end": f"{ended:%Y-%m-%dT%H:%M:%S}Z"}
    statement = made(key, {"identifier": [*listed, found]}, deciding.update, deciding.saying.at)
    deciding.put(patient_id, statement, present)


def _identifier(known: Iterable[Statement], record: Record) -> Resource:
    """A number as a source stated it."""
    for each in known:
        for item in each.patient.get("identifier", ()):
            if (item.get("system"), str(item.get("value", "")).strip()) == record:
                return dict(item)
    return {"system": record[0], "value": record[1]}


def renumbered(statement: Statement, old: Record, new: Record, name: str) -> Statement:
    """A statement made under the number `old`, as if it had been made under `new`."""

    def changed(node: Any) -> Any:
        if isinstance(node, list):
            return [changed(item) for item in node]
        if isinstance(node, dict):
            if (node.get("system"), str(node.get("value", "")).strip()) == old:
                return node | {"system": new[0], "value": new[1]}
            return {key: changed(value) for key, value in node.items()}
        return node

    slots = {
        slot: changed(value) if slot.startswith("identifier") else value
        for slot, value in statement.said.slots.items()
    }
    key = f"{name}.{statement.key.partition('.')[2]}"
    return replace(statement, key=key, said=replace(statement.said, slots=slots), record=new)

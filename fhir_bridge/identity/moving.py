"""A source's record of a person goes from one Patient to another, with what was made under it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from fhir_bridge.fhir import Resource
from fhir_bridge.identity.deciding import Deciding
from fhir_bridge.identity.fold import is_described
from fhir_bridge.identity.joining import join
from fhir_bridge.identity.keys import Record, number_key, person_key, replaced_key, separated_key
from fhir_bridge.identity.repoint import Move
from fhir_bridge.identity.statements import Statement, apart, in_use_again
from fhir_bridge.update import REST

__all__ = ["move_record", "part"]


def part(
    statements: Sequence[Statement], records: Collection[Record]
) -> tuple[list[Statement], list[Statement]]:
    """What sources said under one of `records`, and what they said under others."""
    spoken = [each for each in statements if each.feed and each.feed != REST]
    parted = [each for each in spoken if each.record in records]
    return parted, [each for each in spoken if each not in parted]


def move_record(
    deciding: Deciding, old_id: str, new_id: str, record: Record, *, as_two: bool = False
) -> None:
    """Gives what was said under `record` to another Patient.

    Name, birth date and other numbers stay behind where the other Patient has its own.
    When nothing is left the whole Patient becomes part of the other.  With `as_two` it is
    kept that the two are two persons, and that the record is the other's.
    """
    known = deciding.open(old_id)
    if not as_two and is_described(deciding.statements.of(new_id)):
        for each in part(known, {record})[0]:
            deciding.put(old_id, _number_alone(each, record), each)
    parted, kept = part(known, {record})
    if parted and not kept and not as_two:
        join(deciding, new_id, old_id)
        return
    deciding.open(new_id)
    stay = {key for each in kept for key in deciding.keys.all(each.patient)} - {number_key(record)}
    going = [number_key(record)]
    for each in parted:
        going += [key for key in deciding.keys.all(each.patient) if key not in stay]
        deciding.move(old_id, new_id, each)
        if as_two:
            going.append(separated_key(each.feed, each.key.partition(".")[0]))
    for each in [s for s in kept if _names(s, record)]:
        deciding.put(old_id, _without(each, record), each)  # a number told beside another
    if as_two:
        _let_live(deciding, old_id, new_id, record)
        going.append(replaced_key(new_id))
        deciding.put(old_id, apart(new_id, old_id, deciding.update))
        deciding.put(new_id, apart(old_id, new_id, deciding.update))
    deciding.ledger.set_identity_keys(dict.fromkeys(going, new_id))
    deciding.moves.append(Move(old_id, new_id, person_key(record)))
    for one, other in ((old_id, new_id), (new_id, old_id)):
        deciding.log(one, "split" if as_two else "moved", other=other)


def _number_alone(statement: Statement, record: Record) -> Statement:
    """What a statement says of its own number: the rest was said of the wrong person."""
    slots = {
        slot: [each for each in value if _is(each, record)]
        for slot, value in statement.said.slots.items()
        if _is_numbers(slot, value)
    }
    kept = {slot: value for slot, value in slots.items() if value}
    said = replace(statement.said, slots=kept, nulls=frozenset(), usual=frozenset())
    return replace(statement, said=said)


def _let_live(deciding: Deciding, old_id: str, new_id: str, record: Record) -> None:
    """A Patient is no longer part of another, and its number is in use."""
    known = deciding.statements.of(old_id)
    for each in [s for s in known if not s.feed and s.key == new_id]:
        deciding.drop(old_id, each)
    for each, left in list(in_use_again(known, {record}, deciding.update)):
        deciding.drop(old_id, each)
        if left is not None:
            deciding.put(old_id, left)


def _names(statement: Statement, record: Record) -> bool:
    """Whether a statement has a number among its identifiers."""
    return any(_is(each, record) for each in statement.patient.get("identifier", ()))


def _without(statement: Statement, record: Record) -> Statement:
    """A statement less one of its identifiers."""
    slots = {
        slot: [each for each in value if not _is(each, record)]
        if _is_numbers(slot, value)
        else value
        for slot, value in statement.said.slots.items()
    }
    kept = {slot: value for slot, value in slots.items() if value}
    return replace(statement, said=replace(statement.said, slots=kept))


def _is_numbers(slot: str, value: object) -> bool:
    return slot.startswith("identifier") and isinstance(value, list)


def _is(identifier: Resource, record: Record) -> bool:
    return (identifier.get("system"), str(identifier.get("value", "")).strip()) == record

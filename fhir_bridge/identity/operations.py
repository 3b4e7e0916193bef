"""What a source orders about persons: merge, move or change a number, link, unlink, withdraw.

HL7 v2.5.1 chapter 3: A18, A30, A34, A36, A39, A40 merge persons; A43 moves a number, A46 to
A51 change one; A24 links, A37 unlinks; A29 withdraws.  Maps say them as ``Parameters`` with
the identifiers.  A number that nobody knows makes no third Patient: it is remembered, and
whoever comes with it is the person it was merged into, moved or changed to.  What contradicts
is put on the list of contradictions and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from fhir_bridge import clock
from fhir_bridge.errors import BridgeError
from fhir_bridge.fhir import Resource
from fhir_bridge.fhir.marks import NULL
from fhir_bridge.identity.deciding import Deciding, Link, shown_numbers
from fhir_bridge.identity.former import joined_former
from fhir_bridge.identity.joining import (
    find,
    is_contradicted,
    join,
    merge_away,
    renumbered,
    retire,
)
from fhir_bridge.identity.keys import Record, number_key, statement_name
from fhir_bridge.identity.moving import move_record, part
from fhir_bridge.identity.statements import Statement, beside
from fhir_bridge.update import merge, statement_of

__all__ = ["operate"]

_SOURCE, _TARGET, _MOVED = (
    "source-patient-identifier",
    "target-patient-identifier",
    "identifier",
)


def operate(deciding: Deciding, url: str, parameters: Resource) -> Link | None:
    """Carries out the operation at `url`; None when it changes nothing.

    Raises BridgeError FB-5109 for an unknown operation and for one that lacks a number.
    """
    operation, needed = _OPERATIONS.get(url, (None, ()))
    if operation is None:
        raise BridgeError("FB-5109", url[:80], reason="there is no such operation")
    given = _given(parameters)
    for name in needed:
        if name not in given:
            raise BridgeError("FB-5109", url, reason=f"{name} is missing")
    return operation(deciding, given)


def _merge(deciding: Deciding, given: Mapping[str, Resource]) -> Link | None:
    old, new = _record(given[_SOURCE]), _record(given[_TARGET])
    if old == new:
        return None
    return merge_away(deciding, [old], _find_or_create(deciding, given[_TARGET]))


def _move(deciding: Deciding, given: Mapping[str, Resource]) -> Link | None:
    """The number, with what was said and made under it, goes to the target."""
    moved, target = _record(given[_MOVED]), _record(given[_TARGET])
    if moved == target:
        return None
    holder = find(deciding, moved)
    person = _find_or_create(deciding, given[_TARGET])
    if holder == person:
        return None
    if holder is None:
        _state(deciding, person, given[_MOVED])
    else:
        parted, _ = part(deciding.statements.of(holder), {moved})
        if not is_contradicted(deciding, person, holder, parted):
            move_record(deciding, holder, person, moved)
            _state(deciding, person, given[_MOVED])
    return deciding.fold_and_write(person, "moved", target)


def _change(deciding: Deciding, given: Mapping[str, Resource]) -> Link | None:
    """The person keeps everything and goes by another number."""
    old, new = _record(given[_SOURCE]), _record(given[_TARGET])
    if old == new:
        return None
    person, other = find(deciding, old), find(deciding, new)
    if person and other and person != other:
        if is_contradicted(deciding, person, other):
            return deciding.fold_and_write(other, "changed", new)
        join(deciding, person, other)
    person = person or other or _find_or_create(deciding, given[_TARGET])
    _renumber(deciding, person, old, new)
    retire(deciding, person, old)
    deciding.ledger.set_identity_keys({number_key(old): person, number_key(new): person})
    return deciding.fold_and_write(person, "changed", new)


def _renumber(deciding: Deciding, person: str, old: Record, new: Record) -> None:
    """What the sources said under the old number they said under the new one."""
    for each in [s for s in deciding.open(person) if s.feed and s.record == old]:
        changed = renumbered(each, old, new, statement_name(new, {}))
        present = next(
            (s for s in deciding.statements.of(person) if s.feed == each.feed and s.record == new),
            None,
        )
        if present is not None:
            first, second = sorted((changed, present), key=lambda s: s.said.at)
            text = merge(first.said, second.said)
            deciding.drop(person, each)
            kept = replace(present, said=text, former=joined_former(first.former, second.former))
            deciding.put(person, kept, present)
        else:
            deciding.put(person, changed, each)


def _link(deciding: Deciding, given: Mapping[str, Resource]) -> Link | None:
    """Both persons stay, and point to each other."""
    one = _find_or_create(deciding, given[_TARGET])
    other = _find_or_create(deciding, given[_SOURCE])
    if one == other:
        return None
    deciding.put(one, beside(other, one, deciding.update))
    deciding.put(other, beside(one, other, deciding.update))
    deciding.log(one, "linked", other=other)
    return deciding.fold_and_write(one, "linked", _record(given[_TARGET]))


def _unlink(deciding: Deciding, given: Mapping[str, Resource]) -> Link | None:
    """Two persons no longer point to each other, and become two again where they were one."""
    target, source = _record(given[_TARGET]), _record(given[_SOURCE])
    one, other = find(deciding, target), find(deciding, source)
    if one is None or other is None:
        return None
    if one == other:
        return _part_again(deciding, one, target, source)
    for first, second in ((one, other), (other, one)):
        key = beside(second, first, deciding.update).key
        for each in [s for s in deciding.statements.of(first) if not s.feed and s.key == key]:
            deciding.drop(first, each)
    deciding.log(one, "unlinked", other=other)
    return deciding.fold_and_write(one, "unlinked", target)


def _part_again(deciding: Deciding, person: str, target: Record, source: Record) -> Link | None:
    parted, kept = part(deciding.statements.of(person), {source})
    if target == source or not parted or not kept:
        deciding.warn("FB-5110")
        deciding.hold("unlink", person, "", numbers=shown_numbers([target, source]))
        return deciding.fold_and_write(person, "held", target)
    new_id = clock.stable_id("Patient", *source)
    if new_id == person or deciding.statements.of(new_id):
        new_id = clock.stable_id("Patient", *source, "unlinked")
    move_record(deciding, person, new_id, source, as_two=True)
    return deciding.fold_and_write(person, "unlinked", target)


def _withdraw(deciding: Deciding, given: Mapping[str, Resource]) -> Link | None:
    """What this source said of the person is taken back."""
    target = _record(given[_TARGET])
    person = find(deciding, target)
    if person is None:
        return None
    mine = {deciding.saying.speaker, deciding.saying.feed}
    known = deciding.statements.of(person)
    gone = [s for s in known if s.feed and s.feed in mine and s.record == target]
    if not gone:
        return None
    for each in gone:
        deciding.drop(person, each)
    if not any(each.feed for each in deciding.statements.of(person)):
        deciding.withdraw(person, [given[_TARGET]])
    deciding.log(person, "withdrawn")
    return deciding.fold_and_write(person, "withdrawn", target)


def _find_or_create(deciding: Deciding, identifier: Resource) -> str:
    """The living Patient with a number; one of whom only the number is known, if need be."""
    record = _record(identifier)
    known = find(deciding, record)
    if known is not None:
        return known
    patient_id = clock.stable_id("Patient", *record)
    if deciding.statements.of(patient_id) or deciding.statements.living(patient_id) != patient_id:
        patient_id = clock.stable_id("Patient", *record, "again")
    key = _state(deciding, patient_id, identifier)
    deciding.log(patient_id, "new", key, patient={"identifier": [identifier]})
    return patient_id


def _state(deciding: Deciding, patient_id: str, identifier: Resource) -> str:
    """That a Patient has a number, as this source says; the key of the statement."""
    record, saying = _record(identifier), deciding.saying
    said = statement_of(
        saying.speaker, 0, {"resourceType": "Patient", "identifier": [identifier]}, deciding.update
    )
    known = deciding.open(patient_id)
    earlier = next((s for s in known if s.feed == saying.speaker and s.record == record), None)
    key = earlier.key if earlier else f"{statement_name(record, {})}.{patient_id}"
    if earlier is None:
        rank = deciding.rank
        deciding.put(patient_id, Statement(saying.speaker, key, rank, said, record))
    deciding.ledger.set_identity_keys({number_key(record): patient_id})
    return key


def _given(parameters: Resource) -> dict[str, Resource]:
    """The identifiers by name, those that are taken back left out."""
    return {
        each["name"]: each["valueIdentifier"]
        for each in parameters.get("parameter", ())
        if each.get("valueIdentifier", {}).get("value")
        and NULL not in str(each["valueIdentifier"]["value"])
    }


def _record(identifier: Resource) -> Record:
    return str(identifier.get("system", "")), str(identifier["value"]).strip()


_Operation = Callable[[Deciding, Mapping[str, Resource]], Link | None]

_OPERATIONS: Mapping[str, tuple[_Operation, tuple[str, ...]]] = {
    "Patient/$merge": (_merge, (_SOURCE, _TARGET)),
    "Patient/$move-identifier": (_move, (_MOVED, _TARGET)),
    "Patient/$change-identifier": (_change, (_SOURCE, _TARGET)),
    "Patient/$link": (_link, (_SOURCE, _TARGET)),
    "Patient/$unlink": (_unlink, (_SOURCE, _TARGET)),
    "Patient/$withdraw": (_withdraw, (_TARGET,)),
}

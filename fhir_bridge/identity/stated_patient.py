"""A Patient as a message states it, with the keys it is found by."""

from __future__ import annotations

from dataclasses import dataclass

from fhir_bridge import clock
from fhir_bridge.fhir import Resource
from fhir_bridge.identity.keys import PersonKeys, Record, also_key, number_key, replaced_key

__all__ = ["StatedPatient", "read_patient"]

_OURS = frozenset({"replaces", "replaced-by"})


@dataclass(frozen=True, slots=True)
class StatedPatient:
    """`patient` is the statement without what linking itself says (replaced Patients).

    `own` is the source's own record of the person, `records` are all numbers that identify,
    `retired` those no longer in use.  Keys: `verified`, `exact` (a number that identifies with
    name and birth date), `shared` (other identifiers with them), `numbers` (alone).
    """

    patient: Resource
    own: Record
    records: list[Record]
    retired: list[Record]
    verified: list[bytes]
    exact: list[bytes]
    shared: list[bytes]
    numbers: list[bytes]

    @property
    def keys(self) -> list[bytes]:
        """What the statement is found by."""
        return [*self.verified, *self.exact, *self.shared, *self.numbers]

    @property
    def lookup_keys(self) -> list[bytes]:
        """What is looked up: the keys, and what else may stand under the numbers.

        That is who was recorded apart under one, and whether the id that a new Patient would
        have is of one that became part of another.
        """
        if not self.records:
            return self.keys
        return [*self.keys, *map(also_key, self.records), replaced_key(self.first_id)]

    @property
    def first_id(self) -> str:
        """The id of a new Patient, by the source's own number."""
        return clock.stable_id("Patient", *self.own)


def read_patient(patient: Resource, keys: PersonKeys) -> StatedPatient:
    """Takes a mapped Patient apart."""
    said = {key: value for key, value in patient.items() if key != "id"}
    links = [each for each in patient.get("link", ()) if each.get("type") not in _OURS]
    if "link" in said:
        del said["link"]
        said |= {"link": links} if links else {}
    in_use, retired = keys.numbers(patient)
    records = list(dict.fromkeys(in_use))
    exact, shared = keys.local(patient)
    return StatedPatient(
        said,
        keys.own_record(patient, records),
        records,
        retired,
        [key for _, key in keys.verified(patient)],
        exact,
        shared,
        [number_key(record) for record in records],
    )

"""Which types of resources a patient's compartment holds, by one look at the index.

https://hl7.org/fhir/R4/compartmentdefinition-patient.html.  Some seventy types can be in a
compartment and few are; a search that knows which asks a tenth of the questions.
"""
# ruff: noqa: S608 (SQL is put together from fixed text; every value is a parameter)

from __future__ import annotations

from collections.abc import Mapping

from fhir_bridge.database import Session
from fhir_bridge.search import Registry
from fhir_bridge.search.hashing import VALUE_BITS, posting

__all__ = ["membership_numbers", "types_in_compartment"]


def membership_numbers(registry: Registry, numbers: Mapping[str, int]) -> dict[int, str]:
    """Number of each index that puts a resource into a Patient's compartment -> its type."""
    return {
        numbers[symbol]: resource_type
        for resource_type in sorted(registry.definitions.resource_types)
        for code in registry.compartment(resource_type)
        for symbol in registry.indexes(resource_type, code)
    }


def types_in_compartment(
    session: Session, members: Mapping[int, str], patient_id: str
) -> frozenset[str]:
    """The types of which an indexed version names the patient; a page begun earlier needs no more.

    Costs a read of the patient's postings: 0.1 ms, and 1 ms for each few thousand.
    """
    hashes = [posting(number, f"Patient/{patient_id}") for number in members]
    where, parameters = session.among("p.hash", hashes)
    rows = session.all(f"SELECT DISTINCT p.hash FROM posting p WHERE {where}", parameters)
    return frozenset(members[row[0] >> VALUE_BITS] for row in rows)

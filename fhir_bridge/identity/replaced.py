"""What became of Patients that are part of another one now, told by keys alone.

https://hl7.org/fhir/R4/patient.html (Patient.link, replaced-by)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from fhir_bridge.identity.keys import replaced_key

__all__ = ["KeyReader", "living", "living_ids"]


class KeyReader(Protocol):
    """A store, a transaction or a draft."""

    def identity_keys(self, keys: Iterable[bytes], /) -> Mapping[bytes, str]:
        """Patient ids by key, for the keys that are known."""


def living(reader: KeyReader, patient_id: str) -> str:
    """The Patient that this one is part of now: mostly itself."""
    return living_ids(reader, [patient_id]).get(patient_id, patient_id)


def living_ids(reader: KeyReader, patient_ids: Iterable[str]) -> dict[str, str]:
    """The Patients that those of `patient_ids` are part of now which became part of another.

    One query where none did, one more for each step of the longest chain.
    """
    found: dict[str, str] = {}
    pending = {each: each for each in patient_ids}  # where each has been followed to
    while pending:
        keys = {replaced_key(place): place for place in pending.values()}
        known = {keys[key]: other for key, other in reader.identity_keys(keys).items()}
        pending = {
            each: known[place]
            for each, place in pending.items()
            if known.get(place, place) not in {place, each, found.get(each)}
        }
        found |= pending
    return found

"""Patients that another one has replaced: who stands for them now, and links that end nowhere.

https://hl7.org/fhir/R4/patient.html#linking.  A chain of ``replaced-by`` is followed one row
a step; what became of each Patient on it is remembered, so that a long chain is walked once.
"""
# ruff: noqa: S608 (SQL is put together from fixed text; every value is a parameter)

from __future__ import annotations

from collections.abc import Iterator, Mapping

from fhir_bridge.database import Session, unpacked
from fhir_bridge.fhir import Resource, parse_json
from fhir_bridge.search.hashing import resource_key
from fhir_bridge.store.maintenance.literals import read

__all__ = ["CURRENT", "Replacements", "linked", "replacing"]

CURRENT = "NOT EXISTS (SELECT 1 FROM superseded s WHERE s.row_id = r.row_id)"
"""That a row of ``resource r`` is a current version."""

_MAX_CACHED = 200_000
_MAX_STEPS = 10_000
"""Steps after which a chain is taken for a circle."""


def linked(patient: Resource, own_bases: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """(id, type of the link) of each Patient of this record that `patient` is linked to."""
    for link in patient.get("link") or ():
        other = link.get("other") or {}
        found = read(str(other.get("reference", "")), own_bases)
        if found.kind == "literal" and found.resource_type == "Patient":
            yield found.id, str(link.get("type", ""))


def replacing(patient: Resource, own_bases: tuple[str, ...] = ()) -> str | None:
    """The id of the Patient that `patient` says has replaced it."""
    return next((id_ for id_, kind in linked(patient, own_bases) if kind == "replaced-by"), None)


class Replacements:
    """What is known, within one snapshot, of Patients that others have replaced."""

    def __init__(self, session: Session, own_bases: tuple[str, ...] = ()) -> None:
        self._session = session
        self._own_bases = own_bases
        self._next: dict[str, str | None] = {}
        self._last: dict[str, str | None] = {}

    def learn(self, patient: Resource) -> str | None:
        """Remembers a current Patient; the id of the one that has replaced it."""
        if len(self._next) > _MAX_CACHED:
            self._next.clear()
        found = self._next[patient["id"]] = replacing(patient, self._own_bases)
        return found

    def next(self, patient_id: str) -> str | None:
        """Who has replaced a Patient; None for nobody, or when it is not in the record."""
        if patient_id in self._next:
            return self._next[patient_id]
        row = self._session.one(
            f"SELECT r.compressed, r.body FROM resource r WHERE r.key = ? AND {CURRENT}",
            (resource_key("Patient", patient_id),),
        )
        return self.learn(parse_json(unpacked(*row)) if row else {"id": patient_id})

    def last(self, patient_id: str) -> str | None:
        """Who stands for a Patient at the end of its chain; None when the chain is a circle."""
        passed: dict[str, None] = {}
        current = patient_id
        while current not in self._last and current not in passed and len(passed) < _MAX_STEPS:
            passed[current] = None
            following = self.next(current)
            if following is None:
                return self._settle(passed, current)
            current = following
        return self._settle(passed, self._last.get(current))

    def _settle(self, passed: Mapping[str, None], end: str | None) -> str | None:
        if len(self._last) > _MAX_CACHED:
            self._last.clear()
        self._last.update(dict.fromkeys(passed, end))
        return end

"""Persons in a draft: what linking reads and writes (`identity.IdentityLedger`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from fhir_bridge.store import LoggedLink, PersonRow, ReviewRow, Transaction

from .changes import Changes, Person
from .reads import Reads

__all__ = ["PersonDraft"]


class PersonDraft:
    """Keys, statements and decisions of persons, as this draft and those below it have them."""

    def __init__(self, record: Transaction) -> None:
        self._record = record
        self._reads = Reads()
        self._changes = Changes()
        self._layers: tuple[Changes, ...] = (self._changes,)  # this draft's and those below

    def identity_keys(self, keys: Iterable[bytes], /) -> Mapping[bytes, str]:
        """Patient ids by key, for the keys that are known."""
        answer: dict[bytes, str] = {}
        unknown: list[bytes] = []
        for key in keys:
            known = self._key(key)
            if known is None:
                unknown.append(key)
            elif known:
                answer[key] = known
        if unknown:
            found = self._record.identity_keys(unknown)
            self._reads.keys.update({key: found.get(key, "") for key in unknown})
            answer |= found
        return answer

    def _key(self, key: bytes) -> str | None:
        for changes in self._layers:
            known = changes.keys.get(key)
            if known is not None:
                return known
        return self._reads.keys.get(key)

    def set_identity_keys(self, patient_ids: Mapping[bytes, str], /) -> None:
        """Points each key at a Patient, also one that pointed elsewhere; "" takes it away."""
        self._changes.keys.update(patient_ids)

    def add_identity_keys(self, pairs: Iterable[tuple[bytes, str]], /) -> None:
        """Adds (key, patient id) pairs; a key that is known keeps its Patient."""
        given = dict(pairs)
        known = self.identity_keys(given)
        self._changes.keys.update({k: v for k, v in given.items() if k not in known})

    def identity_statements(self, patient_id: str, /) -> list[PersonRow]:
        """Every statement behind a Patient."""
        self.look_up_persons([patient_id])
        rows: dict[Person, PersonRow | None] = {
            (row.feed, row.key): row for row in self._reads.persons[patient_id]
        }
        for changes in self._layers:
            rows |= dict.fromkeys(changes.of_patient.get(patient_id, ()))
        for changes in reversed(self._layers):
            persons = changes.persons
            rows.update({place: persons[place] for place in rows if place in persons})
        kept = [row for row in rows.values() if row is not None and row.patient_id == patient_id]
        kept = [self._heard_of(row) for row in kept]
        return sorted(kept, key=lambda row: (row.feed, row.key))

    def _heard_of(self, row: PersonRow) -> PersonRow:
        """A statement of a person with the time at which it was heard last."""
        place = row.feed, row.key
        for changes in self._layers:
            at = changes.heard.get(place)
            if at is not None:
                return replace(row, at=at) if at > row.at else row
        return row

    def look_up_persons(self, patient_ids: Iterable[str]) -> None:
        """Reads the statements behind many Patients at once."""
        known = self._reads.persons
        unknown = {each for each in patient_ids if each not in known}
        if unknown:
            known.update(self._record.statements_of_persons(unknown))

    def put_identity_statement(self, row: PersonRow, /) -> None:
        """Adds or replaces the statement of (feed, key); it may move from another Patient."""
        self._changes.persons[row.feed, row.key] = row
        self._changes.of_patient.setdefault(row.patient_id, set()).add((row.feed, row.key))

    def drop_identity_statement(self, feed: str, key: str, /) -> None:
        """Takes the statement of (feed, key) away, when there is one."""
        self._changes.persons[feed, key] = None

    def link_log(self, patient_id: str, /) -> list[LoggedLink]:
        """The decisions on one Patient that are written, oldest first."""
        return self._record.link_log(patient_id)

    def hold(self, row: ReviewRow, /) -> None:
        """Puts a contradiction on the list, unless it stands there open already."""
        self._changes.reviews.append(row)

    def touch_person(self, statement: tuple[str, str], at: int) -> None:
        """That the statement (feed, key) was made again, word for word, at `at`."""
        self._changes.heard[statement] = at

    def log_link(
        self, patient_id: str, feed: str, key: str, rule: str, detail: str = "", /
    ) -> None:
        """Adds one decision to the append-only link log."""
        self._changes.links.append((patient_id, feed, key, rule, detail))

"""A draft: what a batch will write, read as if it were written.

Deciding only reads.  What a record decides (resources, statements, keys of persons, log of
links) goes into a draft of its own; when the record is judged to be sound the batch's draft
takes it over (`absorb`), else it is dropped and nothing of it was ever there.  `apply` writes
a batch in one go, within the transaction that it was read in.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import replace

from fhir_bridge.database import milliseconds_of
from fhir_bridge.fhir import Resource, read_back
from fhir_bridge.identity import Move
from fhir_bridge.security_labels import Labeller
from fhir_bridge.store import (
    ContainerRow,
    StatementRow,
    Stored,
    Transaction,
    resource_key,
)

from .applying import apply
from .changes import Present, Speaker
from .following import Follow
from .person_draft import PersonDraft

__all__ = ["Draft"]


class Draft(PersonDraft):
    """Reads of the record and of what this draft, and the one below it, change.

    `labeller` puts security labels on what is put; what is read is without them.
    """

    def __init__(self, record: Transaction, labeller: Labeller | None = None) -> None:
        super().__init__(record)
        self._labeller = labeller

    def above(self) -> Draft:
        """A draft over this one: for one record."""
        draft = Draft(self._record, self._labeller)
        draft._reads = self._reads
        draft._layers = (draft._changes, *self._layers)
        return draft

    def absorb(self, draft: Draft) -> None:
        """Takes over what a draft over this one changes."""
        self._changes.absorb(draft._changes)

    def apply(self) -> int:
        """Writes everything; how many versions of resources."""
        apply(self._changes, self._record)
        return len(self._changes.writes)

    # --- resources and what was said of them -------------------------------------------

    def look_up(self, references: Iterable[tuple[str, str]]) -> None:
        """Reads what is known of many resources at once."""
        found = self._reads
        known = found.resources  # a set less its keys would go through all of them
        wanted = {key for pair in references if (key := resource_key(*pair)) not in known}
        if not wanted:
            return
        newest = self._record.newest(wanted)
        said = self._record.statements(wanted)
        for key in wanted:
            version = newest.get(key)
            found.versions[key] = 0 if version is None else version.version
            found.resources[key] = None if version is None else _present(version)
            found.rows[key] = said.get(key, [])

    def present(self, resource_type: str, id_: str) -> Present | None:
        """What a resource is now; None when it is not there (or deleted)."""
        key = resource_key(resource_type, id_)
        for changes in self._layers:
            known = changes.resources.get(key)
            if known is not None:
                return known
        if key not in self._reads.resources:
            self.look_up([(resource_type, id_)])
        return self._reads.resources[key]

    def version_at(self, resource_type: str, id_: str, version: int) -> Resource | None:
        """The content of a version; None when it says "deleted" or is not kept."""
        present = self.present(resource_type, id_)
        if present is not None and present.version == version:
            return present.resource
        stored = self._record.version(resource_type, id_, version)
        return None if stored is None or stored.deleted else read_back(stored.body)

    def last_version(self, resource_type: str, id_: str) -> int:
        """The number of the newest version, deleted ones counted; 0 when there is none."""
        present = self.present(resource_type, id_)
        if present is not None:
            return present.version
        return self._reads.versions[resource_key(resource_type, id_)]

    def put(self, resource: Resource, version: int) -> None:
        """The resource as it will be, at the version it will have."""
        if self._labeller is not None:
            resource = self._labeller.label(resource, self._born)
        key = resource_key(resource["resourceType"], resource["id"])
        self._changes.resources[key] = Present(resource, version)
        self._changes.writes.append(resource)

    def rows(self, resource_type: str, id_: str) -> list[StatementRow]:
        """What each source said of a resource, the first speaker of each level first."""
        key = resource_key(resource_type, id_)
        if key not in self._reads.rows:
            self.look_up([(resource_type, id_)])
        return self._rows_over(key, self._reads.rows[key])

    def _born(self, patient_id: str) -> str:
        patient = self.present("Patient", patient_id) if patient_id else None
        return str(patient.resource.get("birthDate", "")) if patient is not None else ""

    def put_row(self, row: StatementRow) -> None:
        """A statement as it will be kept."""
        changes = self._changes
        changes.rows.setdefault(row.key, {})[row.source, row.level] = row
        if row.container:
            changes.parts.setdefault(row.container, set()).add(row.key)

    def touch_row(self, key: int, source: str, at: int) -> None:
        """A source described a resource again, word for word, at `at` (a stamp)."""
        self._changes.rows_heard[key, source] = at

    def parts_of(self, container: int) -> list[StatementRow]:
        """The statements that are parts of a container."""
        stored: dict[int, list[StatementRow]] = {}
        for row in self._record.parts_of([container]):
            stored.setdefault(row.key, []).append(row)
        for changes in self._layers:
            for key in changes.parts.get(container, ()):
                stored.setdefault(key, [])
        return [
            row
            for key, rows in sorted(stored.items())
            for row in self._rows_over(key, rows)
            if row.container == container
        ]

    def _rows_over(self, key: int, stored: list[StatementRow]) -> list[StatementRow]:
        changed: dict[Speaker, StatementRow] = {}
        for changes in self._layers:
            rows = changes.rows.get(key)
            if rows:
                changed = rows | changed
        if not changed:
            return [self._heard(row) for row in stored]
        merged = {(row.source, row.level): row for row in stored} | changed
        ordered = sorted(merged.values(), key=lambda row: (row.level, row.since, row.source))
        return [self._heard(row) for row in ordered]

    def _heard(self, row: StatementRow) -> StatementRow:
        """A stored statement with the time at which it was heard last."""
        place = row.key, row.source
        at = max(changes.rows_heard.get(place, 0) for changes in self._layers)
        return replace(row, at=at) if at > row.at and row.level == 0 else row

    def reference_of(self, key: int) -> str | None:
        """``Type/id`` of the resource with this key (`resource_key`)."""
        for changes in self._layers:
            present = changes.resources.get(key)
            if present is not None:
                return f"{present.resource['resourceType']}/{present.resource['id']}"
        return self._record.reference_of(key)

    def await_targets(self, targets: Iterable[tuple[str, str]], referrer: tuple[str, str]) -> None:
        """A resource refers by number to what has not come yet."""
        key = resource_key(*referrer)
        for target in targets:
            self._changes.awaited.setdefault(resource_key(*target), set()).add(key)

    def awaiting(self, targets: AbstractSet[int]) -> list[tuple[int, int]]:
        """(target, referrer) keys of resources that wait for `targets`, which have come now."""
        self.look_up_awaiting(targets)
        awaiting = self._reads.awaiting
        found = {pair for target in targets if awaiting[target] for pair in awaiting[target]}
        for changes in self._layers:
            waited = targets & changes.awaited.keys() if changes.awaited else ()
            found |= {(target, each) for target in waited for each in changes.awaited[target]}
        if found:
            self._changes.came |= {target for target, _ in found}
        return sorted(found)

    def look_up_awaiting(self, targets: Iterable[int]) -> None:
        """Reads who waits for many targets at once."""
        known = self._reads.awaiting
        unknown = [target for target in targets if target not in known]
        if unknown:
            known.update((target, []) for target in unknown)
            for pair in self._record.awaiting(unknown):
                known[pair[0]].append(pair)

    def container(self, key: int) -> ContainerRow | None:
        """The newest version of a container that came."""
        for changes in self._layers:
            known = changes.containers.get(key)
            if known is not None:
                return known
        self.look_up_containers([key])
        return self._reads.containers[key]

    def look_up_containers(self, keys: Iterable[int]) -> None:
        """Reads what is known of many containers at once."""
        known = self._reads.containers
        unknown = [key for key in keys if key not in known]
        if unknown:
            found = self._record.containers(unknown)
            known.update((key, found.get(key)) for key in unknown)

    def put_container(self, row: ContainerRow) -> None:
        """A container as it will be kept."""
        self._changes.containers[row.key] = row

    def follow(self, change: Follow) -> None:
        """What refers to a thing follows it once everything is written."""
        self._changes.follows.append(change)

    def move(self, moves: Iterable[Move]) -> None:
        """References that must follow when everything is written."""
        self._changes.moves += moves


def _present(stored: Stored) -> Present | None:
    if stored.deleted:
        return None
    return Present(stored.body, stored.version, milliseconds_of(stored.last_updated))

"""A draft: what a batch will write, read as if it were written.

Deciding only reads.  What a record decides (resources, statements, keys of persons, log of
links) goes into a draft of its own; when the record is judged to be sound the batch's draft
takes it over (`absorb`), else it is dropped and nothing of it was ever there.  `apply` writes
a batch in one go, within the transaction that it was read in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from typing import cast

from fhir_bridge.database import milliseconds_of
from fhir_bridge.fhir import Resource, read_back
from fhir_bridge.identity import Move, repoint
from fhir_bridge.store import (
    ContainerRow,
    LoggedLink,
    PersonRow,
    ReviewRow,
    StatementRow,
    Stored,
    Transaction,
    resource_key,
)

from .following import Follow, follow

__all__ = ["Draft", "Present"]

_Speaker = tuple[str, int]
_Person = tuple[str, str]


class Present:
    """What a resource is now: its content, its version, and when it was written (ms).

    A stored body is read when the content is first asked for: often only its being there counts.
    """

    __slots__ = ("_content", "at", "version")

    def __init__(self, content: Resource | bytes, version: int, at: int = 0) -> None:
        self._content = content
        self.version = version
        self.at = at

    @property
    def resource(self) -> Resource:
        """The content."""
        if isinstance(self._content, bytes):
            self._content = cast("Resource", read_back(self._content))
        return self._content


@dataclass(slots=True)
class _Changes:
    """What one draft changes."""

    resources: dict[int, Present] = field(default_factory=dict)
    writes: list[Resource] = field(default_factory=list)
    rows: dict[int, dict[_Speaker, StatementRow]] = field(default_factory=dict)
    parts: dict[int, set[int]] = field(default_factory=dict)  # keys of parts by container
    containers: dict[int, ContainerRow] = field(default_factory=dict)
    awaited: dict[int, set[int]] = field(default_factory=dict)  # referrers by target
    came: set[int] = field(default_factory=set)
    rows_heard: dict[tuple[int, str], int] = field(default_factory=dict)
    keys: dict[bytes, str] = field(default_factory=dict)
    persons: dict[_Person, PersonRow | None] = field(default_factory=dict)
    of_patient: dict[str, set[_Person]] = field(default_factory=dict)
    links: list[tuple[str, str, str, str, str]] = field(default_factory=list)
    reviews: list[ReviewRow] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    follows: list[Follow] = field(default_factory=list)
    heard: dict[_Person, int] = field(default_factory=dict)


@dataclass(slots=True)
class _Memo:
    """What was read of the record, once for a batch."""

    resources: dict[int, Present | None] = field(default_factory=dict)
    versions: dict[int, int] = field(default_factory=dict)
    rows: dict[int, list[StatementRow]] = field(default_factory=dict)
    containers: dict[int, ContainerRow | None] = field(default_factory=dict)
    keys: dict[bytes, str] = field(default_factory=dict)
    persons: dict[str, list[PersonRow]] = field(default_factory=dict)
    awaiting: dict[int, list[tuple[int, int]]] = field(default_factory=dict)


class Draft:
    """Reads of the record and of what this draft, and the one below it, change."""

    def __init__(self, record: Transaction) -> None:
        self._record = record
        self._memo = _Memo()
        self._changes = _Changes()
        self._layers: tuple[_Changes, ...] = (self._changes,)  # this draft's and those below

    def above(self) -> Draft:
        """A draft over this one: for one record."""
        draft = Draft(self._record)
        draft._memo = self._memo
        draft._layers = (draft._changes, *self._layers)
        return draft

    def absorb(self, draft: Draft) -> None:
        """Takes over what a draft over this one changes."""
        mine, theirs = self._changes, draft._changes
        mine.resources |= theirs.resources
        mine.writes += theirs.writes
        for key, rows in theirs.rows.items():
            mine.rows[key] = mine.rows.get(key, {}) | rows
        for container, keys in theirs.parts.items():
            mine.parts[container] = mine.parts.get(container, set()) | keys
        mine.containers |= theirs.containers
        for target, referrers in theirs.awaited.items():
            mine.awaited.setdefault(target, set()).update(referrers)
        mine.came |= theirs.came
        mine.rows_heard |= theirs.rows_heard
        mine.keys |= theirs.keys
        mine.persons |= theirs.persons
        for patient_id, places in theirs.of_patient.items():
            mine.of_patient[patient_id] = mine.of_patient.get(patient_id, set()) | places
        mine.links += theirs.links
        mine.reviews += theirs.reviews
        mine.moves += theirs.moves
        mine.follows += theirs.follows
        mine.heard |= theirs.heard

    def apply(self) -> int:
        """Writes everything; how many versions of resources."""
        changes, record = self._changes, self._record
        self._apply_persons()
        if changes.rows:
            record.put_statements(row for rows in changes.rows.values() for row in rows.values())
        if changes.rows_heard:
            record.hear_statements_again(changes.rows_heard)
        if changes.came:
            record.drop_awaited(changes.came)
        if changes.awaited:
            record.put_awaited(
                (target, each) for target, some in changes.awaited.items() for each in some
            )
        if changes.containers:
            record.put_containers(changes.containers.values())
        for bulk in _bulks(changes.writes):
            record.put_many(bulk)
        for move in changes.moves:
            repoint(record, move)
        for change in changes.follows:
            follow(record, change)
        return len(changes.writes)

    def _apply_persons(self) -> None:
        """Writes what was decided on persons."""
        changes, record = self._changes, self._record
        if changes.persons:
            kept = [row for row in changes.persons.values() if row is not None]
            record.put_identity_statements(kept)
            for (feed, key), row in changes.persons.items():
                if row is None:
                    record.drop_identity_statement(feed, key)
        if changes.heard:
            record.hear_again(changes.heard)
        if changes.keys:
            record.set_identity_keys(changes.keys)
        if changes.links:
            record.log_links(changes.links)
        for review in changes.reviews:
            record.hold(review)

    # --- resources and what was said of them -------------------------------------------

    def look_up(self, references: Iterable[tuple[str, str]]) -> None:
        """Reads what is known of many resources at once."""
        found = self._memo
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
        if key not in self._memo.resources:
            self.look_up([(resource_type, id_)])
        return self._memo.resources[key]

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
        return self._memo.versions[resource_key(resource_type, id_)]

    def put(self, resource: Resource, version: int) -> None:
        """The resource as it will be, at the version it will have."""
        key = resource_key(resource["resourceType"], resource["id"])
        self._changes.resources[key] = Present(resource, version)
        self._changes.writes.append(resource)

    def rows(self, resource_type: str, id_: str) -> list[StatementRow]:
        """What each source said of a resource, the first speaker of each level first."""
        key = resource_key(resource_type, id_)
        if key not in self._memo.rows:
            self.look_up([(resource_type, id_)])
        return self._rows_over(key, self._memo.rows[key])

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
        changed: dict[_Speaker, StatementRow] = {}
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
        awaiting = self._memo.awaiting
        found = {pair for target in targets if awaiting[target] for pair in awaiting[target]}
        for changes in self._layers:
            waited = targets & changes.awaited.keys() if changes.awaited else ()
            found |= {(target, each) for target in waited for each in changes.awaited[target]}
        if found:
            self._changes.came |= {target for target, _ in found}
        return sorted(found)

    def look_up_awaiting(self, targets: Iterable[int]) -> None:
        """Reads who waits for many targets at once."""
        known = self._memo.awaiting
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
        return self._memo.containers[key]

    def look_up_containers(self, keys: Iterable[int]) -> None:
        """Reads what is known of many containers at once."""
        known = self._memo.containers
        unknown = [key for key in keys if key not in known]
        if unknown:
            found = self._record.containers(unknown)
            known.update((key, found.get(key)) for key in unknown)

    def put_container(self, row: ContainerRow) -> None:
        """A container as it will be kept."""
        self._changes.containers[row.key] = row

    # --- persons: what linking reads and writes (`identity.IdentityLedger`) --------------

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
            self._memo.keys.update({key: found.get(key, "") for key in unknown})
            answer |= found
        return answer

    def _key(self, key: bytes) -> str | None:
        for changes in self._layers:
            known = changes.keys.get(key)
            if known is not None:
                return known
        return self._memo.keys.get(key)

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
        rows: dict[_Person, PersonRow | None] = {
            (row.feed, row.key): row for row in self._memo.persons[patient_id]
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
        known = self._memo.persons
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

    def follow(self, change: Follow) -> None:
        """What refers to a thing follows it once everything is written."""
        self._changes.follows.append(change)

    def move(self, moves: Iterable[Move]) -> None:
        """References that must follow when everything is written."""
        self._changes.moves += moves

    def touch_person(self, statement: tuple[str, str], at: int) -> None:
        """That the statement (feed, key) was made again, word for word, at `at`."""
        self._changes.heard[statement] = at

    def log_link(
        self, patient_id: str, feed: str, key: str, rule: str, detail: str = "", /
    ) -> None:
        """Adds one decision to the append-only link log."""
        self._changes.links.append((patient_id, feed, key, rule, detail))


def _present(stored: Stored) -> Present | None:
    if stored.deleted:
        return None
    return Present(stored.body, stored.version, milliseconds_of(stored.last_updated))


def _bulks(resources: list[Resource]) -> list[list[Resource]]:
    """`resources` in bulks that name none twice: the n-th version in the n-th bulk."""
    bulks: list[list[Resource]] = []
    written: dict[tuple[str, str], int] = {}
    for resource in resources:
        key = resource["resourceType"], resource["id"]
        number = written.get(key, 0)
        written[key] = number + 1
        if number == len(bulks):
            bulks.append([])
        bulks[number].append(resource)
    return bulks

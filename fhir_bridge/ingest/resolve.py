"""Step 3, resolve: every entry gets its lasting id, references follow, and what is stated changes.

Deciding only reads: what becomes of the record goes into a draft (`draft`), which is dropped
when the record is refused.  A Patient is found or made by the Linker; any other resource is
named by its business (`naming`); then each entry is stated (`stating`) and containers let go
of what they no longer hold (`containers`).

What many sources mention in passing (institutions, staff, places) is never replaced by a
thinner mention: the source that described it first may change it, others add what is
missing.  What a feed declares a mention is a statement of a lower level.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from fhir_bridge import clock
from fhir_bridge.audit import FEED_SYSTEM
from fhir_bridge.errors import BridgeError, Issue
from fhir_bridge.fhir import Resource, render_json
from fhir_bridge.fhir.marks import NULL
from fhir_bridge.identity import Saying as PersonSaying
from fhir_bridge.search.hashing import hashed
from fhir_bridge.store import moment_of
from fhir_bridge.update import UpdateRules, is_retired

from .aliases import find_alias, keep_aliases, merged_into
from .awaited import ByNumber, make_literal, settle_by_number
from .containers import Container, Containers, entry_container, read_container, row_container
from .draft import Draft
from .feed import Feed, find_mentions
from .memory import Memory, short_digest
from .naming import SHARED, content_id, entry_id, without_places
from .operations import Operation, Operations, read_operation
from .persons import Heard, PatientLinker, Persons
from .settle import settle
from .stating import Saying, Stating, bare

__all__ = ["PatientLinker", "Resolved", "Resolver", "Spoken", "export_key"]

_SUBJECTS = ("subject", "patient", "beneficiary", "for")


@dataclass(frozen=True, slots=True)
class Spoken:
    """What is known of a record beside its Bundle.

    `digest` names its content; `types` are those by which its map was chosen; `message` is
    the number of its journal entry, `received` when that came (ms since 1970).
    """

    feed: Feed
    digest: Callable[[], str]
    types: tuple[str, ...]
    message: int
    received: int


@dataclass(slots=True)
class Resolved:
    """What changes, and the references of all that the record speaks of.

    `changed` are (number of the entry, resource as it will be); `entries` has the reference
    of each entry in order ("" where there is none), `targets` the same, each once.  `records`
    are the source's own records (system, number) of the persons; `at` is the event time.
    """

    changed: list[tuple[int, Resource]] = field(default_factory=list)
    entries: list[str] = field(default_factory=list)
    let_go: list[str] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)
    records: list[tuple[str, str]] = field(default_factory=list)
    at: int = 0

    @property
    def targets(self) -> list[str]:
        """The references, each once, and those of parts that a container let go of."""
        return [each for each in dict.fromkeys([*self.entries, *self.let_go]) if each]


@dataclass(slots=True)
class _Entry:
    """One entry on its way; `resource` becomes None when there is nothing to state."""

    number: int
    entry: dict[str, Any]
    resource: Resource
    reference: str = ""
    marked: frozenset[str] = frozenset()
    container: Container | None = None
    operation: Operation | None = None
    awaits: set[str] = field(default_factory=set)
    is_dropped: bool = False
    own: str = ""  # how others refer to it by its own id

    def refer(self, reference: str, task: _Task) -> None:
        """Everything that refers to the entry refers to `reference`; "" to what is taken back."""
        self.reference = reference
        for name in (self.entry.get("fullUrl"), self.own):
            if name:
                task.places[name] = reference or NULL


@dataclass(slots=True)
class _Task:
    """One Bundle being resolved; `places` are the names by which its entries refer."""

    spoken: Spoken
    draft: Draft
    source: str
    mentions: tuple[str, ...]
    resolved: Resolved
    places: dict[str, str] = field(default_factory=dict)
    heard: Heard = field(default_factory=Heard)
    here: set[str] = field(default_factory=set)  # the references of its entries

    @property
    def owner(self) -> str:
        return self.spoken.feed.identity.owner


class Resolver:
    """Resolves Bundles, one after the other.

    It remembers what each source said last of each person and shared resource, so that
    saying the same again costs no query; :meth:`keep` makes that lasting after the commit,
    :meth:`forget` drops it after a rollback.
    """

    def __init__(self, linker: PatientLinker, rules: UpdateRules) -> None:
        self._linker = linker
        self._persons = Persons(linker)
        self._rules = rules
        self._memory: Memory[str] = Memory()  # ids of shared things

    def resolve(self, bundle: Resource, spoken: Spoken, draft: Draft) -> Resolved:
        """What `bundle` changes, put into `draft`.

        Raises BridgeError FB-6005 for an entry that cannot be named, FB-6313 for one that
        would become another person's.
        """
        task = self._task(bundle, spoken, draft)
        container = read_container(bundle, task.source)
        if container is None and spoken.feed.table.full_export:
            container = row_container(bundle, task.source)
        entries = [
            _entry(number, entry, container, task.source)
            for number, entry in enumerate(bundle.get("entry", ()))
        ]
        stated = [entry for entry in entries if entry.operation is None]
        others = [entry for entry in stated if entry.resource["resourceType"] != "Patient"]
        for entry in others:
            self._name(entry, task)
        emptied = [each.container for each in others if each.is_dropped and each.container]
        others = [entry for entry in others if not entry.is_dropped]
        draft.look_up(_pair(entry.reference) for entry in others)
        for entry in others:
            self._follow_aliases(entry, task)
        task.here = {entry.reference for entry in others}
        asked = [entry.operation for entry in entries if not self._is_of_person(entry, task)]
        self._take(task)
        others = list(_told_apart(others, task))
        for entry in others:
            met: list[ByNumber] = []
            entry.marked = settle(entry.resource, task.places, task.owner, met)
            if met:
                entry.awaits = settle_by_number(draft, met, task.here)
        operations = [each for each in asked if each is not None]
        self._state_all(others, operations, emptied, task)
        task.resolved.entries = [entry.reference for entry in entries]
        return task.resolved

    def keep(self) -> None:
        """The transaction is committed: remember what it taught."""
        self._memory.keep()
        self._persons.memory.keep()

    def forget(self, *, everything: bool = False) -> None:
        """The transaction was rolled back (or identities were changed by hand)."""
        self._memory.forget(everything=everything)
        self._persons.memory.forget(everything=everything)

    def stating(self, draft: Draft) -> Stating:
        """How resources are stated in `draft`."""
        return Stating(draft, self._rules, lambda id_: self._persons.living(draft, id_))

    def _task(self, bundle: Resource, spoken: Spoken, draft: Draft) -> _Task:
        feed = spoken.feed
        institution = bundle.get("meta", {}).get("source", "")
        source = f"{feed.identity.owner}#{institution}" if institution else feed.identity.owner
        resolved = Resolved(at=event_time(bundle, spoken.received))
        return _Task(spoken, draft, source, find_mentions(feed, *spoken.types), resolved)

    def _name(self, entry: _Entry, task: _Task) -> None:
        """The entry's reference, and the names by which others refer to it."""
        resource = entry.resource
        kind, own = resource["resourceType"], resource.get("id")
        id_ = entry_id(entry.entry, resource, task.owner)
        if id_ is None and own:
            id_ = clock.named_id(task.owner, kind, str(own))
        if id_ is None and entry.container is not None:
            id_ = content_id(resource, entry.container.name)
        if id_ is None:
            id_ = clock.named_id(task.owner, kind, f"{task.spoken.digest()}/{entry.number}")
        entry.is_dropped = not id_
        entry.own = f"{kind}/{own}" if own else ""
        entry.resource = {"resourceType": kind, "id": id_} | {
            key: value for key, value in resource.items() if key not in {"resourceType", "id"}
        }
        _sign(entry.resource, task)
        entry.refer(f"{kind}/{id_}" if id_ else "", task)

    def _follow_aliases(self, entry: _Entry, task: _Task) -> None:
        """What is known by another of its numbers, or became part of another, is that one."""
        kind, id_ = entry.resource["resourceType"], entry.resource["id"]
        if kind not in self._rules.aliases:
            return
        present = task.draft.present(kind, id_)
        if present is None:
            other = find_alias(task.draft, entry.resource)
        elif is_retired(bare(present.resource), self._rules):
            other = merged_into(task.draft, kind, id_)
        else:
            other = ""
        if other and other != id_:
            entry.resource["id"] = other
            entry.refer(f"{kind}/{other}", task)

    def _is_of_person(self, entry: _Entry, task: _Task) -> bool:
        """Whether an entry is of a person; then it is decided, in the order of the entries."""
        if entry.operation is not None and entry.operation.url.startswith("Patient/"):
            entry.reference = self._persons.operate(
                entry.number, entry.operation, _person_saying(task), task.draft, task.heard
            )
            return True
        if entry.operation is None and entry.resource["resourceType"] == "Patient":
            self._link(entry, task)
            return True
        return False

    def _link(self, entry: _Entry, task: _Task) -> None:
        """The Patient that the entry states: its reference, and what changes of it."""
        patient, own = entry.resource, entry.resource.get("id")
        entry.own = f"Patient/{own}" if own else ""
        _sign(patient, task)
        met: list[ByNumber] = []
        settle(patient, task.places, task.owner, met)
        settle_by_number(task.draft, met, task.here)
        saying = _person_saying(task)
        reference = self._persons.link(entry.number, patient, saying, task.draft, task.heard)
        entry.refer(reference, task)

    def _take(self, task: _Task) -> None:
        """What was decided on persons is part of what the record changes."""
        heard, resolved = task.heard, task.resolved
        resolved.changed += heard.changed
        resolved.issues += heard.issues
        resolved.records += heard.records
        if heard.moves:
            self.forget(everything=True)

    def _state_all(
        self,
        entries: list[_Entry],
        asked: list[Operation],
        emptied: list[Container],
        task: _Task,
    ) -> None:
        """Carries out operations, states every entry, and lets go what containers do not hold.

        `emptied` are containers of which the message takes a part back: a group of nulls alone.
        """
        draft = task.draft
        stating = self.stating(draft)
        containers = Containers(
            draft, stating, task.resolved, task.spoken.message, export_key(task.spoken.feed)
        )
        came: list[str] = []
        if asked:
            self._operate(asked, containers, task)
        for container in emptied:
            containers.opens(container)
        for entry in entries:
            is_part = entry.container is not None and self._level(entry, task) == 0
            if is_part and entry.container and not containers.opens(entry.container):
                continue
            is_new = task.draft.present(*_pair(entry.reference)) is None
            changed = self._state(entry, stating, task)
            if is_part and entry.container:
                containers.holds(entry.container, entry.reference)
            if changed is not None:
                task.resolved.changed.append((entry.number, changed))
                if is_new:
                    came.append(entry.reference)
                if entry.awaits:
                    draft.await_targets(map(_pair, entry.awaits), _pair(entry.reference))
        containers.close()
        if came:
            literal = make_literal(draft, came)
            task.resolved.changed += [(-1, resource) for resource in literal]

    def _operate(self, asked: list[Operation], containers: Containers, task: _Task) -> None:
        operations = Operations(
            task.draft, self._rules, task.owner, self._persons, task.resolved.at
        )
        for operation in asked:
            issue = operations.carry_out(operation, containers, task.source)
            if issue is not None:
                task.resolved.issues.append(issue)
        task.resolved.changed += [(-1, resource) for resource in operations.changed]

    def _level(self, entry: _Entry, task: _Task) -> int:
        kind = entry.resource["resourceType"]
        return 1 if kind in SHARED or kind in task.mentions else 0

    def _state(self, entry: _Entry, stating: Stating, task: _Task) -> Resource | None:
        resource, request = entry.resource, entry.entry.get("request") or {}
        kind, id_ = resource["resourceType"], resource["id"]
        present = task.draft.present(kind, id_)
        if "ifNoneExist" in request and present is not None:
            return None
        if request.get("ifMatch") == "*" and present is None:
            details = {"type": kind}
            task.resolved.issues.append(Issue("FB-6314", "warning", kind, details))
            entry.reference = ""
            return None
        key = b""
        if kind in SHARED:
            key = short_digest(f"{kind}/{id_} {task.source}".encode())
            digest = short_digest(render_json(resource))
            if self._memory.recall(key, digest) is not None:
                return None
            self._memory.learn(key, digest, id_)
        level = 1 if kind in task.mentions else 0
        if kind in self._rules.aliases:
            keep_aliases(task.draft, resource)
        return stating.state(resource, entry.marked, self._saying(entry, level, task))

    def _saying(self, entry: _Entry, level: int, task: _Task) -> Saying:
        container = entry.container.key if entry.container is not None and not level else 0
        person = next(
            (
                task.heard.keys[text]
                for name in _SUBJECTS
                if (text := _reference(entry.resource.get(name))) in task.heard.keys
            ),
            0,
        )
        return Saying(task.source, task.resolved.at, task.spoken.message, level, container, person)


def _person_saying(task: _Task) -> PersonSaying:
    spoken = task.spoken
    return PersonSaying(
        feed=spoken.feed.name,
        source=task.source,
        at=task.resolved.at,
        message=spoken.digest,
        event=spoken.types[0] if spoken.types else "",
        level=1 if "Patient" in task.mentions else 0,
    )


def export_key(feed: Feed) -> int:
    """The key of the container that all rows of a full export are in; 0 for other feeds."""
    return hashed(f"export {feed.name}") if feed.table.full_export else 0


def event_time(bundle: Resource, received: int) -> int:
    """When what the Bundle says happened (ms since 1970): its own time, else when it came."""
    written = bundle.get("timestamp")
    try:
        return moment_of(str(written)) if written else received
    except ValueError:
        return received


def _entry(number: int, entry: Any, container: Container | None, source: str) -> _Entry:
    resource = entry.get("resource") if isinstance(entry, dict) else None
    kind = resource.get("resourceType") if isinstance(resource, dict) else None
    if not isinstance(resource, dict) or not isinstance(kind, str):
        raise BridgeError("FB-6005", f"entry[{number}]")
    operation = read_operation(entry) if kind == "Parameters" else None
    if kind in SHARED or kind == "Patient" or operation is not None:
        return _Entry(number, entry, resource, operation=operation)
    own = entry_container(entry, source) if "link" in entry else None
    return _Entry(number, entry, resource, container=own or container)


def _told_apart(entries: list[_Entry], task: _Task) -> Iterator[_Entry]:
    """The entries with each fact once, and each fact under a name of its own.

    Two entries of one identity are one fact when they do not contradict each other.
    """
    first: dict[str, _Entry] = {}
    for entry in entries:
        known = first.setdefault(entry.reference, entry)
        if known is entry:
            continue
        kind = entry.resource["resourceType"]
        if kind in SHARED or kind in task.mentions or _agree(known.resource, entry.resource):
            known.resource = known.resource | entry.resource
            continue
        id_ = content_id(entry.resource, entry.reference)
        entry.resource = entry.resource | {"id": id_}
        entry.refer(f"{kind}/{id_}", task)
        if entry.reference not in first:
            first[entry.reference] = entry
            details = {"type": kind}
            task.resolved.issues.append(Issue("FB-6312", "warning", kind, details))
    yield from first.values()


def _agree(one: Resource, other: Resource) -> bool:
    return all(
        without_places(one[name]) == without_places(value)
        for name, value in other.items()
        if name in one
    )


def _sign(resource: Resource, task: _Task) -> None:
    """Who says it, and which profiles the feed promises."""
    meta = {**resource.get("meta", {})}
    if resource["resourceType"] != "Patient":
        meta["source"] = f"{FEED_SYSTEM}/{task.source}"
    promised = task.spoken.feed.profiles.get(resource["resourceType"], ())
    if promised:
        meta["profile"] = [*dict.fromkeys([*meta.get("profile", ()), *promised])]
    if meta:
        resource["meta"] = meta


def _pair(reference: str) -> tuple[str, str]:
    kind, _, id_ = reference.partition("/")
    return kind, id_


def _reference(value: Any) -> str:
    return str(value.get("reference", "")) if isinstance(value, dict) else ""

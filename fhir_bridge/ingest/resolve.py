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

from collections.abc import Sequence

from fhir_bridge.errors import Issue
from fhir_bridge.fhir import Resource, render_json
from fhir_bridge.search.hashing import hashed
from fhir_bridge.store import resource_key
from fhir_bridge.update import UpdateRules, is_retired, stamp

from .aliases import find_alias, keep_aliases, merged_into
from .awaited import ByNumber, make_literal, settle_by_number
from .changes import Present
from .comparing import bare
from .containers import Container, Containers, read_container, row_container
from .draft import Draft
from .entries import (
    Entry,
    Spoken,
    Task,
    first_person,
    pair,
    read_entry,
    sign,
    told_apart,
)
from .feed import Feed, find_mentions
from .memory import Memory, short_digest
from .name_entry import name_entry
from .operations import Operation, Operations
from .persons import PatientLinker, Persons
from .prefetch import Prefetch
from .resolved import Resolved
from .settle import settle
from .spoken_entry import credible_time, level_of, saying_of, timely
from .stating import Stating

__all__ = ["PatientLinker", "Resolver", "Spoken", "export_key"]


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

    def read(self, bundle: Resource, spoken: Spoken) -> Task:
        """`bundle` with its entries named; nothing of the record is read for it.

        Raises BridgeError FB-6005 for an entry that cannot be named.
        """
        task = self._task(bundle, spoken)
        task.whole = read_container(bundle, task.source)
        if task.whole is None and spoken.feed.table.full_export:
            task.whole = row_container(bundle, task.source)
        task.entries = [
            read_entry(number, entry, task.whole, task.source)
            for number, entry in enumerate(bundle.get("entry", ()))
        ]
        for entry in task.entries:
            if entry.operation is not None:
                continue
            if entry.resource["resourceType"] == "Patient":
                self._name_person(entry, task)
            else:
                name_entry(entry, task)
        return task

    def look_up(self, tasks: Sequence[Task], draft: Draft) -> None:
        """Reads at once what `tasks` are going to ask for, as far as their names tell."""
        prefetch = Prefetch(self._linker, self._rules)
        for task in tasks:
            prefetch.add(task)
        prefetch.look_up(draft)

    def resolve(self, task: Task, draft: Draft) -> Resolved:
        """What `task` changes, put into `draft`.

        Raises BridgeError FB-6313 for an entry that would become another person's.
        """
        task.draft = draft
        spoken, container, entries, others = task.spoken, task.whole, task.entries, task.others
        emptied = [each.container for each in others if each.is_dropped and each.container]
        others = [entry for entry in others if not entry.is_dropped]
        task.here = {entry.reference for entry in others}
        orders = [entry.operation for entry in entries if not self._is_of_person(entry, task)]
        self._take(task)
        containers = Containers(
            draft, self.stating(draft), task.resolved, spoken.message, export_key(spoken.feed)
        )
        self._operate([each for each in orders if each is not None], containers, task)
        for entry in others:
            self._follow_aliases(entry, task)
        others = timely(others, container, containers, task)
        task.here = {entry.reference for entry in others}
        others = list(told_apart(others, task))
        for entry in others:
            met: list[ByNumber] = []
            entry.marked = settle(entry.resource, task.places, task.owner, met)
            if met:
                entry.awaits = settle_by_number(draft, met, task.here)
        self._state_all(others, emptied, containers, task)
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

    def _task(self, bundle: Resource, spoken: Spoken) -> Task:
        feed = spoken.feed
        institution = bundle.get("meta", {}).get("source", "")
        source = f"{feed.identity.owner}#{institution}" if institution else feed.identity.owner
        at, issues = credible_time(bundle, spoken.received, self._rules)
        resolved = Resolved(at=stamp(at, spoken.message), issues=issues)
        mentions = find_mentions(feed, *spoken.types)
        return Task(spoken, source, mentions, resolved, person=first_person(bundle))

    def _name_person(self, entry: Entry, task: Task) -> None:
        """What the Patient of an entry is found by."""
        own = entry.resource.get("id")
        entry.own = f"Patient/{own}" if own else ""
        sign(entry.resource, task)
        entry.said = self._linker.read_patient(entry.resource)

    def _follow_aliases(self, entry: Entry, task: Task) -> None:
        """What is known by another of its numbers, or became part of another, is that one."""
        kind, id_ = entry.resource["resourceType"], entry.resource["id"]
        if kind not in self._rules.aliases:
            return
        present = task.draft.present(kind, id_)
        if present is None:
            other = find_alias(task.draft, entry.resource) or merged_into(task.draft, kind, id_)
        elif is_retired(bare(present.resource), self._rules):
            other = merged_into(task.draft, kind, id_)
        else:
            other = ""
        if other and other != id_:
            entry.resource["id"] = other
            entry.refer(f"{kind}/{other}", task)

    def _is_of_person(self, entry: Entry, task: Task) -> bool:
        """Whether an entry is of a person; then it is decided, in the order of the entries."""
        if entry.operation is not None and entry.operation.url.startswith("Patient/"):
            entry.reference = self._persons.operate(
                entry.number, entry.operation, task.saying(), task.draft, task.heard
            )
            return True
        if entry.operation is None and entry.resource["resourceType"] == "Patient":
            self._link(entry, task)
            return True
        return False

    def _link(self, entry: Entry, task: Task) -> None:
        """The Patient that the entry states: its reference, and what changes of it."""
        met: list[ByNumber] = []
        marked = settle(entry.resource, task.places, task.owner, met)
        if met:
            settle_by_number(task.draft, met, task.here)
        saying = task.saying(has_marks=bool(marked))
        entry.refer(self._persons.link(entry, saying, task.draft, task.heard), task)

    def _take(self, task: Task) -> None:
        """What was decided on persons is part of what the record changes."""
        heard, resolved = task.heard, task.resolved
        resolved.changed += heard.changed
        resolved.issues += heard.issues
        resolved.records += heard.records
        if heard.moves:
            self.forget(everything=True)

    def _state_all(
        self,
        entries: list[Entry],
        emptied: list[Container],
        containers: Containers,
        task: Task,
    ) -> None:
        """States every entry, and lets go what containers do not hold.

        `emptied` are containers of which the message takes a part back: a group of nulls alone.
        """
        draft, stating = task.draft, self.stating(task.draft)
        came: list[str] = []
        for container in emptied:
            containers.opens(container)
        for entry in entries:
            is_part = entry.container is not None and level_of(entry, task) == 0
            present = draft.present(*pair(entry.reference))
            changed = self._state(entry, present, stating, task)
            if is_part and entry.container:
                containers.holds(entry.container, entry.reference)
            if changed is not None:
                task.resolved.changed.append((entry.number, changed))
                if present is None:
                    came.append(entry.reference)
                if entry.awaits:
                    draft.await_targets(map(pair, entry.awaits), pair(entry.reference))
        containers.close()
        if came:
            literal = make_literal(draft, came)
            task.resolved.changed += [(-1, resource) for resource in literal]

    def _operate(self, orders: list[Operation], containers: Containers, task: Task) -> None:
        """Carries out what is asked of visits, accounts and documents."""
        if not orders:
            return
        operations = Operations(
            task.draft, self._rules, task.owner, self._persons, task.resolved.at
        )
        for operation in orders:
            issue = operations.carry_out(operation, containers, task.source)
            if issue is not None:
                task.resolved.issues.append(issue)
        task.resolved.changed += [(-1, resource) for resource in operations.changed]

    def _state(
        self, entry: Entry, present: Present | None, stating: Stating, task: Task
    ) -> Resource | None:
        resource, request = entry.resource, entry.entry.get("request") or {}
        kind, id_ = resource["resourceType"], resource["id"]
        if "ifNoneExist" in request and present is not None:
            return None
        if request.get("ifMatch") == "*" and present is None:
            details = {"type": kind}
            task.resolved.issues.append(Issue("FB-6314", "warning", kind, details))
            entry.reference = ""
            return None
        level = 1 if kind in task.mentions else 0
        key = digest = b""
        if entry.is_shared and not level:
            key = short_digest(f"{kind}/{id_} {task.source}".encode())
            digest = short_digest(render_json(resource))
            if self._is_said_again(key, digest, f"{kind}/{id_}", task):
                return None
        if kind in self._rules.aliases:
            keep_aliases(task.draft, resource)
        stated = stating.state(resource, entry.marked, saying_of(entry, level, task))
        if key:
            self._learn(key, digest, f"{kind}/{id_}", task)
        return stated

    def _is_said_again(self, key: bytes, digest: bytes, reference: str, task: Task) -> bool:
        """Whether these are the newest words of the source on a shared thing; they are renewed."""
        heard = self._memory.recall(key, digest)
        if heard is None:
            return False
        if heard.at < task.resolved.at:
            row = resource_key(*reference.split("/"))
            task.draft.touch_row(row, task.source, task.resolved.at)
            self._memory.learn(key, digest, reference, task.resolved.at)
        return True

    def _learn(self, key: bytes, digest: bytes, reference: str, task: Task) -> None:
        """Remember the newest words of a source; what came late is not what a repeat renews."""
        for row in task.draft.rows(*reference.split("/")):
            if row.source == task.source and not row.level:
                is_newest = row.at == task.resolved.at
                self._memory.learn(key, digest if is_newest else b"", reference, row.at)


def export_key(feed: Feed) -> int:
    """The key of the container that all rows of a full export are in; 0 for other feeds."""
    return hashed(f"export {feed.name}") if feed.table.full_export else 0

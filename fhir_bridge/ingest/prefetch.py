"""What a batch is going to ask the record, read at once instead of record by record.

Only what the names in the messages tell is foreseen; a draft reads the rest when it is asked.
"""

from __future__ import annotations

from fhir_bridge.store import resource_key
from fhir_bridge.update import UpdateRules

from .aliases import find_numbers, merged_key
from .draft import Draft
from .entries import Entry, Task, pair
from .naming import business_id
from .persons import PatientLinker

__all__ = ["Prefetch"]


class Prefetch:
    """The questions of many Bundles, gathered by `add` and put by `look_up`."""

    def __init__(self, linker: PatientLinker, rules: UpdateRules) -> None:
        self._linker = linker
        self._rules = rules
        self._references: set[tuple[str, str]] = set()
        self._containers: set[int] = set()
        self._persons: dict[bytes, None] = {}
        self._numbers: dict[bytes, tuple[str, str, str]] = {}  # type, system, value by key
        self._merged: set[bytes] = set()  # keys of what became part of another
        self._new: set[str] = set()  # Patients that there may be from now on

    def add(self, task: Task) -> None:
        """What resolving `task` asks."""
        if task.whole is not None:
            self._containers.add(task.whole.key)
        for entry in task.entries:
            if entry.said is not None:
                self._persons |= dict.fromkeys(self._linker.lookup_keys(entry.said, task.saying()))
                self._new.add(entry.said.first_id)
            elif entry.reference:
                self._add_thing(entry)

    def _add_thing(self, entry: Entry) -> None:
        self._references.add(pair(entry.reference))
        if entry.container is not None:
            self._containers.add(entry.container.key)
        kind = entry.resource["resourceType"]
        if kind in self._rules.aliases:
            self._merged.add(merged_key(kind, entry.resource["id"]))
            for key, number in find_numbers(entry.resource):
                self._numbers[key] = kind, *number

    def look_up(self, draft: Draft) -> None:
        """Puts the questions; `draft` and those over it know the answers."""
        known = draft.identity_keys([*self._persons, *self._numbers, *self._merged])
        persons = {known[key] for key in self._persons if key in known} | self._new
        aliases = {
            (number[0], known.get(key) or business_id(*number))
            for key, number in self._numbers.items()
        }
        draft.look_up_persons(persons)
        draft.look_up_containers(self._containers)
        draft.look_up_awaiting(resource_key(*each) for each in self._references)
        draft.look_up(self._references | aliases | {("Patient", each) for each in persons})

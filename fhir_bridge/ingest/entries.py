"""The entries of one Bundle on their way, and what is known of the Bundle as a whole.

https://hl7.org/fhir/R4/bundle.html#references: entries refer to each other by fullUrl, or by
the id of the resource.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from fhir_bridge.audit import FEED_SYSTEM
from fhir_bridge.database import milliseconds_of
from fhir_bridge.errors import BridgeError, Issue
from fhir_bridge.fhir import Resource
from fhir_bridge.fhir.marks import NULL, has_marks
from fhir_bridge.identity import Saying as PersonSaying
from fhir_bridge.identity import StatedPatient
from fhir_bridge.update import unmarked

from .containers import Container, entry_container
from .draft import Draft
from .feed import Feed
from .naming import SHARED, content_id, without_places
from .operations import Operation, read_operation
from .persons import Heard
from .resolved import Resolved

__all__ = [
    "Entry",
    "Spoken",
    "Task",
    "drop_late",
    "event_time",
    "first_person",
    "is_taken_back",
    "pair",
    "read_entry",
    "sign",
    "told_apart",
]


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
class Entry:
    """One entry on its way; `resource` becomes None when there is nothing to state."""

    number: int
    entry: dict[str, Any]
    resource: Resource
    reference: str = ""
    marked: frozenset[str] = frozenset()
    container: Container | None = None
    operation: Operation | None = None
    said: StatedPatient | None = None  # of a Patient: what it is found by
    awaits: set[str] = field(default_factory=set)
    is_dropped: bool = False
    own: str = ""  # how others refer to it by its own id

    @property
    def is_shared(self) -> bool:
        """Whether it is of what many sources mention in passing, and part of no whole."""
        return self.container is None and self.resource["resourceType"] in SHARED

    def refer(self, reference: str, task: Task) -> None:
        """Everything that refers to the entry refers to `reference`; "" to what is taken back."""
        self.reference = reference
        for name in (self.entry.get("fullUrl"), self.own):
            if name:
                task.places[name] = reference or NULL


@dataclass(slots=True)
class Task:
    """One Bundle being resolved; `places` are the names by which its entries refer.

    `draft` is there from when its turn has come.
    """

    spoken: Spoken
    source: str
    mentions: tuple[str, ...]
    resolved: Resolved
    whole: Container | None = None  # what the Bundle is the whole of
    entries: list[Entry] = field(default_factory=list)
    draft: Draft = field(init=False)
    places: dict[str, str] = field(default_factory=dict)
    heard: Heard = field(default_factory=Heard)
    here: set[str] = field(default_factory=set)  # the references of its entries
    person: str = ""  # a number of the first person that it is about

    @property
    def owner(self) -> str:
        """Whose numbers without a system are."""
        return self.spoken.feed.identity.owner

    @property
    def others(self) -> list[Entry]:
        """What is stated of other things than persons."""
        return [
            entry
            for entry in self.entries
            if entry.operation is None and entry.resource["resourceType"] != "Patient"
        ]

    def saying(self, *, has_marks: bool = True) -> PersonSaying:
        """The circumstances of what is said of a person."""
        spoken = self.spoken
        return PersonSaying(
            feed=spoken.feed.name,
            source=self.source,
            at=self.resolved.at,
            message=spoken.digest,
            event=spoken.types[0] if spoken.types else "",
            level=1 if "Patient" in self.mentions else 0,
            has_marks=has_marks,
        )


def event_time(bundle: Resource, received: int) -> int:
    """When what the Bundle says happened (ms since 1970): its own time, else when it came."""
    written = bundle.get("timestamp")
    try:
        return milliseconds_of(str(written)) if written else received
    except ValueError:
        return received


def first_person(bundle: Resource) -> str:
    """The first number of the first Patient in a Bundle; "" where there is none."""
    for entry in bundle.get("entry", ()):
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(resource, dict) and resource.get("resourceType") == "Patient":
            number: Resource = next(iter(resource.get("identifier", ())), {})
            return f"{number.get('system', '')}|{number.get('value', '')}"
    return ""


def is_taken_back(resource: Resource) -> bool:
    """Whether nothing is left of a resource but nulls."""
    said = {
        key: value
        for key, value in resource.items()
        if key not in {"resourceType", "id", "meta", "active", "mode", "physicalType"}
    }
    return has_marks(said) and unmarked(said).value is None


def read_entry(number: int, entry: Any, container: Container | None, source: str) -> Entry:
    """The entry as a value; it is part of `container` unless it names one for itself.

    Raises BridgeError FB-6005 where it holds no resource.
    """
    resource = entry.get("resource") if isinstance(entry, dict) else None
    kind = resource.get("resourceType") if isinstance(resource, dict) else None
    if not isinstance(resource, dict) or not isinstance(kind, str):
        raise BridgeError("FB-6005", f"entry[{number}]")
    operation = read_operation(entry) if kind == "Parameters" else None
    if kind == "Patient" or operation is not None:
        return Entry(number, entry, resource, operation=operation)
    own = entry_container(entry, source) if "link" in entry else None
    if kind in SHARED:  # a role of a team is part of it, an institution of nothing
        return Entry(number, entry, resource, container=own)
    return Entry(number, entry, resource, container=own or container)


def told_apart(entries: list[Entry], task: Task) -> Iterator[Entry]:
    """The entries with each fact once, and each fact under a name of its own.

    Two entries of one identity are one fact when they do not contradict each other.
    """
    first: dict[str, Entry] = {}
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


def drop_late(entries: Iterable[Entry], late: Iterable[Entry], task: Task) -> None:
    """Takes references to what a late version said, and is not in the record, out of others."""
    gone = set[str]()
    for entry in late:
        if task.draft.present(*pair(entry.reference)) is None:
            gone |= {name for name in (entry.entry.get("fullUrl"), entry.own) if name}
            entry.reference = ""
    for entry in entries if gone else ():
        _without(entry.resource, gone)


def _without(node: Any, gone: set[str]) -> bool:
    """Takes objects that refer to `gone` out of `node`; whether it is such an object itself."""
    if isinstance(node, dict):
        if node.get("reference") in gone:
            return True
        lost = [key for key, value in node.items() if _without(value, gone)]
        for key in lost:
            del node[key]
        return bool(lost) and "resourceType" not in node
    if isinstance(node, list):
        node[:] = [item for item in node if not _without(item, gone)]
        return not node
    return False


def sign(resource: Resource, task: Task) -> None:
    """Who says it, and which profiles the feed promises."""
    meta = {**resource.get("meta", {})}
    if resource["resourceType"] != "Patient":
        meta["source"] = f"{FEED_SYSTEM}/{task.source}"
    promised = task.spoken.feed.profiles.get(resource["resourceType"], ())
    if promised:
        meta["profile"] = [*dict.fromkeys([*meta.get("profile", ()), *promised])]
    if meta:
        resource["meta"] = meta


def pair(reference: str) -> tuple[str, str]:
    """Type and id of a reference."""
    kind, _, id_ = reference.partition("/")
    return kind, id_

"""Step 4, resolve: every entry gets its lasting id, and references follow.

A Patient is found or made by the Linker.  Any other resource is named by its business:
the identifier of a conditional request, else its first identifier, else its place in
the record's content.  So a resend, or a later message about the same encounter, order or
agreement, meets the same resource.  https://hl7.org/fhir/R4/bundle.html#references

References inside the Bundle (by fullUrl) and conditional ones
(``Contract?identifier=system|value``) become ``Type/id``; because ids are computed, a
reference may come before its target.

What many sources mention in passing (institutions, staff, places) is never replaced by
a thinner mention: the source that described it first may change it, others add what is
missing.  What a feed declares a mention only adds to what is described (:mod:`.mention`).
"""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import unquote

from fhir_bridge import clock
from fhir_bridge.audit import FEED_SYSTEM
from fhir_bridge.errors import BridgeError, Issue
from fhir_bridge.fhir import Resource, parse_json, render_json
from fhir_bridge.store import Transaction

from .feed import Feed
from .mention import describe, mention

__all__ = ["Resolved", "Resolver", "named_resource_id"]

_SHARED = frozenset(
    [
        "Device",
        "Endpoint",
        "HealthcareService",
        "Location",
        "Medication",
        "Organization",
        "Practitioner",
        "PractitionerRole",
    ]
)

_CONDITIONAL = re.compile(r"(?:([A-Z][A-Za-z]+)\?)?(?:.*&)?identifier=([^&]*)")
_REMEMBERED = 100_000


class _Link(Protocol):
    @property
    def patient_id(self) -> str: ...
    @property
    def patient(self) -> Resource: ...
    @property
    def issues(self) -> list[Issue]: ...
    @property
    def replaced(self) -> list[Resource]: ...


class PatientLinker(Protocol):
    """What is asked of :class:`fhir_bridge.identity.Linker`."""

    def link(
        self, ledger: Any, patient: Resource, feed: str, message: Callable[[], str], /
    ) -> _Link:
        """The Patient that `patient`, as stated by `feed`, belongs to."""


@dataclass(slots=True)
class Resolved:
    """What to write, and the references of all that the record speaks of."""

    resources: list[Resource] = field(default_factory=list)
    entries: list[str] = field(default_factory=list)  # the reference of each entry, in order
    targets: list[str] = field(default_factory=list)  # the same, each once
    issues: list[Issue] = field(default_factory=list)


@dataclass(slots=True)
class _Task:
    """One Bundle being resolved; `places` are the names by which its entries refer."""

    feed: Feed
    digest: Callable[[], str]
    transaction: Transaction
    mentions: Collection[str]
    places: dict[str, str] = field(default_factory=dict)
    resolved: Resolved = field(default_factory=Resolved)


class Resolver:
    """Resolves Bundles within one store transaction at a time.

    It remembers what each feed said last of each person and mentioned resource, so that
    saying the same again costs no query; :meth:`keep` makes that lasting after the commit,
    :meth:`forget` drops it after a rollback.
    """

    def __init__(self, linker: PatientLinker, feeds: Iterable[Feed] = ()) -> None:
        self._linker = linker
        self._sometimes_mentioned = frozenset(
            kind for feed in feeds for kinds in feed.mentions.values() for kind in kinds
        )
        self._known: OrderedDict[bytes, tuple[bytes, str]] = OrderedDict()  # to (digest, id)
        self._fresh: dict[bytes, tuple[bytes, str]] = {}
        self._merged: dict[str, Resource] = {}  # of this transaction, by reference

    def resolve(
        self,
        bundle: Resource,
        feed: Feed,
        digest: Callable[[], str],
        transaction: Transaction,
        mentions: Collection[str] = (),
    ) -> Resolved:
        """Ids and references of `bundle`; `digest` names the record's content.

        `mentions` are the resource types that this record only mentions.

        Raises BridgeError FB-6005 for an entry that cannot be named.
        """
        task = _Task(feed, digest, transaction, mentions)
        named = [
            self._name(entry, number, task) for number, entry in enumerate(bundle.get("entry", ()))
        ]
        written: dict[str, Resource] = {}
        for entry, reference, resource in named:
            if resource is None:
                continue
            _rewrite(resource, task.places, feed)
            if reference in written:
                written[reference] = written[reference] | resource
                continue
            kept = self._merge(entry, resource, task)
            if kept is not None:
                written[reference] = kept
        task.resolved.resources += written.values()
        task.resolved.entries = [reference for _, reference, _ in named]
        task.resolved.targets = list(dict.fromkeys(task.resolved.entries))
        return task.resolved

    def keep(self) -> None:
        """The transaction is committed: remember what it taught."""
        self._known.update(self._fresh)
        self._fresh.clear()
        self._merged.clear()
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)

    def forget(self, *, everything: bool = False) -> None:
        """The transaction was rolled back (or identities were changed by hand)."""
        self._fresh.clear()
        self._merged.clear()
        if everything:
            self._known.clear()

    def _name(
        self, entry: dict[str, Any], number: int, task: _Task
    ) -> tuple[dict[str, Any], str, Resource | None]:
        """(entry, reference, what to write of it); the entry's own names go to ``places``."""
        feed = task.feed
        resource = entry.get("resource")
        kind = resource.get("resourceType") if isinstance(resource, dict) else None
        if not isinstance(resource, dict) or not isinstance(kind, str):
            raise BridgeError("FB-6005", f"entry[{number}]")
        own = resource.get("id")
        if kind == "Patient":
            reference, written = self._link(resource, task)
        else:
            resource_id = _business_id(entry, resource, feed) or clock.named_id(
                feed.identity.owner, kind, str(own) if own else f"{task.digest()}/{number}"
            )
            reference = f"{kind}/{resource_id}"
            written = {"resourceType": kind, "id": resource_id} | {
                key: value for key, value in resource.items() if key not in {"resourceType", "id"}
            }
            _set_source(written, feed)
        for name in (entry.get("fullUrl"), f"{kind}/{own}" if own else None):
            if name:
                task.places[name] = reference
        return entry, reference, written

    def _link(self, patient: Resource, task: _Task) -> tuple[str, Resource | None]:
        """The Patient's reference; what to write, None when this statement is known already."""
        identifiers = [
            (each.get("system"), each.get("value")) for each in patient.get("identifier", ())
        ]
        key = _digest(f"{task.feed.name} {identifiers}".encode()) if identifiers else b""
        digest = _digest(render_json(patient))
        known = self._recall(key, digest)
        if known is not None:
            return f"Patient/{known}", None
        link = self._linker.link(task.transaction, patient, task.feed.name, task.digest)
        task.resolved.issues += link.issues
        if link.replaced:
            self.forget(everything=True)
            task.resolved.resources += link.replaced
        if key:
            self._fresh[key] = (digest, link.patient_id)
        return f"Patient/{link.patient_id}", link.patient

    def _merge(self, entry: dict[str, Any], resource: Resource, task: _Task) -> Resource | None:
        """What to write of `resource` given what is stored; None for nothing."""
        kind = resource["resourceType"]
        only_create = "ifNoneExist" in entry.get("request", {})
        if kind in self._sometimes_mentioned and not only_create:
            return self._join(resource, task)
        if kind not in _SHARED and not only_create:
            return resource
        key = _digest(f"{kind}/{resource['id']} {task.feed.identity.owner}".encode())
        digest = _digest(render_json(resource))
        if self._recall(key, digest) is not None:
            return None
        self._fresh[key] = (digest, resource["id"])
        reference = f"{kind}/{resource['id']}"
        present = self._present(reference, task)
        if present is not None and only_create:
            return None
        if present is None:
            self._merged[reference] = resource
            return resource
        source = present.get("meta", {}).get("source")
        merged = present | resource if source == _source(task.feed) else resource | present
        merged["meta"] = {
            key: value
            for key, value in merged.get("meta", {}).items()
            if key not in {"versionId", "lastUpdated"}
        }
        self._merged[reference] = merged
        return merged

    def _join(self, resource: Resource, task: _Task) -> Resource:
        """A description or a mention, with what is known beside it."""
        reference = f"{resource['resourceType']}/{resource['id']}"
        present = self._present(reference, task)
        said = mention if resource["resourceType"] in task.mentions else describe
        joined = said(resource, present)
        self._merged[reference] = joined
        return joined

    def _present(self, reference: str, task: _Task) -> Resource | None:
        """What is known of `reference`: in this transaction, else stored."""
        known = self._merged.get(reference)
        return known if known is not None else _read(reference, task.transaction)

    def _recall(self, key: bytes, digest: bytes) -> str | None:
        """The id behind `key` if the last that was said there had this digest."""
        said, known_id = self._fresh.get(key) or self._known.get(key) or (b"", "")
        return known_id if said == digest else None


def named_resource_id(resource_type: str, system: str, value: str, owner: str = "") -> str:
    """The id of the business thing that identifier (system, value) names.

    The system makes it unique; without one the feed's owner does.
    """
    return clock.named_id(system or owner, resource_type, f"{system}|{value}")


def _business_id(entry: dict[str, Any], resource: Resource, feed: Feed) -> str | None:
    kind = resource["resourceType"]
    request = entry.get("request")
    if isinstance(request, dict):
        for text in (request.get("ifNoneExist"), request.get("url")):
            found = _CONDITIONAL.fullmatch(text) if isinstance(text, str) else None
            if found:
                system, _, value = unquote(found[2]).rpartition("|")
                return named_resource_id(kind, system, value, feed.identity.owner)
    identifiers = resource.get("identifier")
    if isinstance(identifiers, dict):
        identifiers = [identifiers]
    for identifier in identifiers or ():
        value = identifier.get("value")
        if value:
            system = str(identifier.get("system", ""))
            return named_resource_id(kind, system, str(value), feed.identity.owner)
    return None


def _rewrite(node: dict[str, Any], places: dict[str, str], feed: Feed) -> None:
    """Replace references in place: entries of this Bundle, and conditional ones."""
    for key, value in node.items():
        kind = type(value)
        if kind is dict:
            _rewrite(value, places, feed)
        elif kind is list:
            for item in value:
                if type(item) is dict:
                    _rewrite(item, places, feed)
        elif key == "reference" and kind is str:
            node[key] = _followed(value, places, feed)


def _followed(reference: str, places: dict[str, str], feed: Feed) -> str:
    found = places.get(reference)
    if found:
        return found
    if "?" in reference:
        conditional = _CONDITIONAL.fullmatch(reference)
        if conditional and conditional[1] and conditional[1] != "Patient":
            system, _, value = unquote(conditional[2]).rpartition("|")
            named = named_resource_id(conditional[1], system, value, feed.identity.owner)
            return f"{conditional[1]}/{named}"
    return reference


def _read(reference: str, transaction: Transaction) -> Resource | None:
    kind, _, resource_id = reference.partition("/")
    stored = transaction.read(kind, resource_id)
    return None if stored is None or stored.deleted else parse_json(stored.body)


def _digest(data: bytes) -> bytes:
    """Short and quick: for what is remembered in memory only."""
    return hashlib.blake2b(data, digest_size=16).digest()


def _source(feed: Feed) -> str:
    return f"{FEED_SYSTEM}/{feed.identity.owner}"


def _set_source(resource: Resource, feed: Feed) -> None:
    resource["meta"] = {**resource.get("meta", {}), "source": _source(feed)}

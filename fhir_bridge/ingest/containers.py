"""Containers: a document, row or group whose newest version says all of its parts.

A Bundle tagged *whole* says the whole of what its source says under ``Bundle.identifier``; an
entry with a link of relation *whole* is part of the container that the link names (all
allergies that an admission lists, HL7 v2.5.1 section 2.10.4.1, snapshot mode).  A newer
version lets go of parts that it no longer holds; an older one that arrives late changes
nothing.  Versions are ordered by their number (``Bundle.meta.versionId``) where both have
one, then by event time, then by receipt.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from fhir_bridge.errors import Issue
from fhir_bridge.fhir import Resource
from fhir_bridge.search.hashing import hashed
from fhir_bridge.store import ContainerRow, StatementRow

from .draft import Draft
from .resolved import Resolved
from .stating import Stating

__all__ = [
    "UPDATE_SYSTEM",
    "WHOLE",
    "Container",
    "Containers",
    "entry_container",
    "read_container",
    "row_container",
]

UPDATE_SYSTEM = "https://fhir-bridge.org/fhir/CodeSystem/update"
WHOLE = "whole"


@dataclass(frozen=True, slots=True)
class Container:
    """A container by its name within its source; `version` is 0 where it has no number."""

    key: int
    name: str
    source: str
    version: int = 0


def container_key(source: str, system: str, value: str) -> int:
    """The key of the container that an identifier names within a source."""
    return hashed(f"container {source} {system}|{value}")


def read_container(bundle: Resource, source: str) -> Container | None:
    """The container that a Bundle is the whole of."""
    meta, identifier = bundle.get("meta") or {}, bundle.get("identifier") or {}
    tags = [(tag.get("system"), tag.get("code")) for tag in meta.get("tag", ())]
    if (UPDATE_SYSTEM, WHOLE) not in tags or not identifier.get("value"):
        return None
    system, value = str(identifier.get("system", "")), str(identifier["value"])
    number = str(meta.get("versionId", ""))
    version = int(number) if number.isascii() and number.isdecimal() and len(number) < 18 else 0
    key = container_key(source, system, value)
    return Container(key, f"{source} {system}|{value}", source, version)


def row_container(bundle: Resource, source: str) -> Container | None:
    """The container of a row whose map names none: by the first number that it holds."""
    for entry in bundle.get("entry", ()):
        identifiers = (entry.get("resource") or {}).get("identifier") or ()
        for identifier in [identifiers] if isinstance(identifiers, dict) else identifiers:
            if identifier.get("value"):
                kind = str(entry["resource"].get("resourceType", ""))
                name = f"row {kind} {identifier.get('system', '')}|{identifier['value']}"
                return Container(container_key(source, "", name), f"{source} {name}", source)
    return None


def entry_container(entry: dict[str, Any], source: str) -> Container | None:
    """The container that an entry names for itself."""
    for link in entry.get("link", ()):
        if link.get("relation") == WHOLE and link.get("url"):
            url = str(link["url"])
            return Container(container_key(source, "", url), f"{source} {url}", source)
    return None


class Containers:
    """The containers of one record: which of them speak, and what they let go of."""

    def __init__(
        self, draft: Draft, stating: Stating, resolved: Resolved, message: int, parent: int = 0
    ) -> None:
        self._draft = draft
        self._stating = stating
        self._resolved = resolved
        self._message = message
        self._parent = parent
        self._open: dict[int, tuple[Container, ContainerRow | None, set[str]]] = {}
        self._late: set[int] = set()

    def opens(self, container: Container) -> bool:
        """Whether this version of the container counts; an issue once where it does not."""
        if container.key in self._open:
            return True
        if container.key in self._late:
            return False
        known = self._draft.container(container.key)
        if known is not None and not self._is_newest(container, known):
            self._late.add(container.key)
            self._resolved.issues.append(Issue("FB-6315", "warning", "Bundle.identifier"))
            return False
        self._open[container.key] = container, known, set()
        return True

    def holds(self, container: Container, reference: str) -> None:
        """The container has this part."""
        self._open[container.key][2].add(reference)

    def close(self) -> None:
        """Takes back what open containers held and do not hold any more."""
        for container, known, parts in self._open.values():
            if known is not None:
                for row in self._draft.parts_of(container.key):
                    self._let_go(row, parts)
            self._draft.put_container(
                ContainerRow(
                    container.key,
                    container.source,
                    self._parent or (known.parent if known else 0),
                    max(container.version, known.version if known else 0),
                    max(self._resolved.at, known.at if known else self._resolved.at),
                    self._message,
                )
            )

    def take_back(self, key: int, source: str) -> None:
        """The container is replaced or gone: all of its parts are taken back."""
        for row in self._draft.parts_of(key):
            self._let_go(row, set())
        known = self._draft.container(key)
        base = known or ContainerRow(key, source, 0, 0, self._resolved.at, self._message)
        at = max(base.at, self._resolved.at)
        self._draft.put_container(replace(base, withdrawn=True, at=at))

    def _is_newest(self, container: Container, known: ContainerRow) -> bool:
        if known.withdrawn:  # replaced or gone: it comes back only with something newer
            return self._resolved.at > known.at
        if container.version and known.version and container.version != known.version:
            return container.version > known.version
        return self._resolved.at >= known.at

    def _let_go(self, row: StatementRow, parts: set[str]) -> None:
        reference = self._draft.reference_of(row.key)
        if reference is None or reference in parts or row.withdrawn:
            return
        kind, _, id_ = reference.partition("/")
        changed = self._stating.withdraw(row, kind, id_, self._resolved.at)
        if changed is not None:
            self._resolved.changed.append((-1, changed))
            self._resolved.let_go.append(reference)

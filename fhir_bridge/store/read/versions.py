"""References that name a version: an include brings that version, or says that it does not.

https://hl7.org/fhir/R4/references.html#literal and https://hl7.org/fhir/R4/search.html#include.
The index knows whom a resource points to and not which version; such references are seldom,
and are read from the bodies that hold one.
"""
# ruff: noqa: S608 (SQL is put together from fixed text; every value is a parameter)

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from fhir_bridge.errors import Issue
from fhir_bridge.fhir import parse_json, parse_reference
from fhir_bridge.search import Include, Registry, references
from fhir_bridge.search.hashing import resource_key
from fhir_bridge.store.records import COLUMNS, Stored, stored
from fhir_bridge.store.select import Selector

__all__ = ["Versions", "names_versions"]

_MARK = b"/_history/"

Visible = Callable[[Selector, Iterable[Stored]], list[Stored]]


def names_versions(each: Stored) -> bool:
    """Whether the body may hold a reference to a version."""
    return _MARK in each.body


@dataclass(slots=True)
class Versions:
    """The versions that sources of a page name, and what is to be said of them."""

    registry: Registry
    pending: dict[tuple[str, str, str], str] = field(default_factory=dict)  # by target: a source
    issues: list[Issue] = field(default_factory=list)

    def pointed(self, include: Include, source: Stored, keys: set[int]) -> set[int]:
        """Those of `keys` that the source names without a version; the versions are noted."""
        loose: set[int] = set()
        pinned: set[int] = set()
        for resource_type, id_, version in self._of(include, source):
            key = resource_key(resource_type, id_)
            if key not in keys or include.target_type not in ("", resource_type):
                continue
            if version:
                pinned.add(key)
                self.pending[resource_type, id_, version] = f"{source.resource_type}/{source.id}"
            else:
                loose.add(key)
        return keys - (pinned - loose)

    def pointing(self, include: Include, sources: Iterable[Stored], shown: list[Stored]) -> None:
        """Says of sources that a reverse include brought which other version they name."""
        versions = {(each.resource_type, each.id): str(each.version) for each in shown}
        for source in sources:
            for resource_type, id_, version in self._of(include, source):
                present = versions.get((resource_type, id_), version)
                if version and present != version:
                    self._say("FB-4116", source, (resource_type, id_, version), present)

    def fetch(self, selector: Selector, types: dict[int, str], visible: Visible) -> list[Stored]:
        """The versions that were named since the last call, as far as they are there and may be seen."""
        wanted, self.pending = self.pending, {}
        found: dict[tuple[str, str, str], Stored] = {}
        for resource_type, id_, version in wanted:
            number = int(version) if version.isdecimal() and len(version) < 10 else 0
            row = selector.session.one(
                f"SELECT {COLUMNS} FROM resource r WHERE r.key = ? AND r.version = ?",
                [resource_key(resource_type, id_), number],
            )
            seen = visible(selector, [stored(row, types)]) if row is not None else []
            if seen and not seen[0].deleted and seen[0].id == id_:
                found[resource_type, id_, version] = seen[0]
        for target, source in wanted.items():
            if target not in found:
                details = {"source": source, "reference": _written(target)}
                self.issues.append(Issue("FB-4115", "warning", details=details))
        return list(found.values())

    def _of(self, include: Include, source: Stored) -> list[tuple[str, str, str]]:
        """(type, id, version or "") of the references that the include follows in a source."""
        if include.source_type not in ("*", source.resource_type):
            return []
        found = []
        for text in references(self.registry, parse_json(source.body), include.code):
            parsed = parse_reference(text)
            if parsed is not None and parsed.resource_type:
                found.append((parsed.resource_type, parsed.id, parsed.version))
        return found

    def _say(self, code: str, source: Stored, target: tuple[str, str, str], present: str) -> None:
        details = {
            "source": f"{source.resource_type}/{source.id}",
            "reference": _written(target),
            "version": present,
        }
        issue = Issue(code, "information", details=details)
        if issue not in self.issues:
            self.issues.append(issue)


def _written(target: tuple[str, str, str]) -> str:
    resource_type, id_, version = target
    return f"{resource_type}/{id_}/_history/{version}"

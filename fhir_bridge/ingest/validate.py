"""Step 4, validate: every resource as it will be, judged by R4 and by what the feed promises.

This comes after ``resolve``, so that references are final and a partial statement is judged
together with what is known, and before anything is written: what is refused leaves no trace
in the record (see docs/decisions/adr-2611-update.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Protocol

from fhir_bridge.errors import Issue
from fhir_bridge.fhir import Resource
from fhir_bridge.validation import ModelsCheck

from .feed import Feed

__all__ = ["ResourceCheck", "Validation"]


class ResourceCheck(Protocol):
    """What is asked of :class:`fhir_bridge.validation.Validator`."""

    def check(self, resource: Resource, profile_urls: tuple[str, ...] = ()) -> list[Issue]:
        """Issues of one resource."""


_FIRST = {"first": 3, "off": 0, "all": None}


class Validation:
    """Judges Bundles; `models_check` is the setting that a feed may overrule."""

    def __init__(self, validator: ResourceCheck, models_check: str = "off") -> None:
        self._validator = validator
        self._models_check = models_check
        self._models_checks: dict[str, ModelsCheck] = {}

    def prepare(self, feeds: Iterable[Feed]) -> None:
        """Loads what judging needs, so that a worker that is started again need not."""
        for feed in feeds:
            self._models_check_of(feed).load()

    def check(self, bundle: Resource, feed: Feed) -> list[Issue]:
        """Issues of all resources in a mapped Bundle, each with its place in it."""
        issues: list[Issue] = []
        for number, entry in enumerate(bundle.get("entry", ())):
            resource = entry.get("resource") if isinstance(entry, dict) else None
            if not isinstance(resource, dict):
                issues.append(Issue("FB-6005", "error", f"entry[{number}]"))
                continue
            found = self._judge(resource, feed)
            issues += [replace(issue, where=f"entry[{number}] {issue.where}") for issue in found]
        return issues

    def check_changes(self, changed: Sequence[tuple[int, Resource]], feed: Feed) -> Iterator[Issue]:
        """Issues of resources as they will be, each with the entry that changes it."""
        for number, resource in changed:
            if "link" in resource and resource.get("active") is False:
                continue  # a Patient that became part of another
            for issue in self._judge(resource, feed):
                place = f"entry[{number}] {issue.where}" if number >= 0 else issue.where
                yield replace(issue, where=place)

    def _judge(self, resource: Resource, feed: Feed) -> list[Issue]:
        promised = feed.profiles.get(str(resource.get("resourceType", "")), ())
        return [
            *self._validator.check(resource, promised),
            *self._models_check_of(feed).check(resource),
        ]

    def _models_check_of(self, feed: Feed) -> ModelsCheck:
        check = self._models_checks.get(feed.name)
        if check is None:
            check = ModelsCheck(_FIRST[feed.models_check or self._models_check])
            self._models_checks[feed.name] = check
        return check

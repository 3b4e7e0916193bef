"""Step 3, validate: every resource of a Bundle judged by R4 and by what the feed promises.

This comes before ``resolve``, which writes to the identity tables: what is refused must
leave no trace in the record (see docs/decisions/adr-2611-journal.md).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from fhir_bridge.errors import Issue
from fhir_bridge.fhir import Resource
from fhir_bridge.validation import SecondOpinion

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
        self._opinions: dict[str, SecondOpinion] = {}

    def check(self, bundle: Resource, feed: Feed) -> list[Issue]:
        """Issues of all resources in `bundle`, each with its place in it."""
        issues: list[Issue] = []
        opinion = self._opinion(feed)
        for number, entry in enumerate(bundle.get("entry", ())):
            resource = entry.get("resource") if isinstance(entry, dict) else None
            if not isinstance(resource, dict):
                issues.append(Issue("FB-6005", "error", f"entry[{number}]"))
                continue
            promised = feed.profiles.get(str(resource.get("resourceType", "")), ())
            found = [*self._validator.check(resource, promised), *opinion.check(resource)]
            issues += [replace(issue, where=f"entry[{number}] {issue.where}") for issue in found]
            if promised and not any(issue.severity in {"error", "fatal"} for issue in found):
                _claim(resource, promised)
        return issues

    def _opinion(self, feed: Feed) -> SecondOpinion:
        opinion = self._opinions.get(feed.name)
        if opinion is None:
            opinion = SecondOpinion(_FIRST[feed.models_check or self._models_check])
            self._opinions[feed.name] = opinion
        return opinion


def _claim(resource: Resource, promised: tuple[str, ...]) -> None:
    """Say in ``meta.profile`` what was promised and holds."""
    meta = resource.setdefault("meta", {})
    claimed = meta.setdefault("profile", [])
    claimed.extend(url for url in promised if url not in claimed)

"""When fhir.resources is asked for a second opinion: always, never, or to sample.

https://github.com/nazrulworld/fhir.resources

One judgement by the models costs 20 to 50 times ours (bench/validation.py), so a feed that
runs day and night asks it for the first few resources of each type, where a faulty map
shows itself, and a test run asks it for all.
"""

from __future__ import annotations

from collections import Counter

from fhir_bridge.errors import Issue
from fhir_bridge.fhir import Resource, models

__all__ = ["ModelsCheck"]


class ModelsCheck:
    """Asks `fhir_bridge.fhir.models` for the first `first` resources of each type.

    `first` 0 never asks, None asks always.
    """

    def __init__(self, first: int | None) -> None:
        self._first = first
        self._asked: Counter[str] = Counter()

    def load(self) -> None:
        """Opens the door to the models, unless they are never asked."""
        if self._first != 0:
            models.load()

    def check(self, resource: Resource) -> list[Issue]:
        """The models' findings, or none when they are not asked this time."""
        if self._first == 0:
            return []
        resource_type = str(resource.get("resourceType", ""))
        if self._first is not None:
            if self._asked[resource_type] >= self._first:
                return []
            self._asked[resource_type] += 1
        return models.check(resource)

"""What became of one Bundle when it was resolved: what changes, and what it speaks of."""

from __future__ import annotations

from dataclasses import dataclass, field

from fhir_bridge.errors import Issue
from fhir_bridge.fhir import Resource

__all__ = ["Resolved"]


@dataclass(slots=True)
class Resolved:
    """What changes, and the references of all that the record speaks of.

    `changed` are (number of the entry, resource as it will be); `entries` has the reference
    of each entry in order ("" where there is none), `targets` the same, each once.  `records`
    are the source's own records (system, number) of the persons; `at` is the stamp of the event.
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

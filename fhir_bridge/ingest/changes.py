"""What a draft changes: resources, statements, keys and the log of persons, as values.

:func:`.applying.apply` writes it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

from fhir_bridge.fhir import Resource, read_back
from fhir_bridge.identity import Move
from fhir_bridge.security_labels import without_labels
from fhir_bridge.store import ContainerRow, PersonRow, ReviewRow, StatementRow

from .following import Follow

__all__ = ["Changes", "Person", "Present", "Speaker"]

Speaker = tuple[str, int]
"""The source of a statement and its level."""
Person = tuple[str, str]
"""The feed and the key of a statement of a person."""


class Present:
    """What a resource is now: its content, its version, and when it was written (ms).

    A stored body is read when the content is first asked for: often only its being there counts.
    """

    __slots__ = ("_content", "at", "version")

    def __init__(self, content: Resource | bytes, version: int, at: int = 0) -> None:
        self._content = content
        self.version = version
        self.at = at

    @property
    def resource(self) -> Resource:
        """The content, as it was said: without security labels of ours."""
        if isinstance(self._content, bytes):
            self._content = cast("Resource", read_back(self._content))
        return without_labels(self._content)


@dataclass(slots=True)
class Changes:
    """What one draft changes."""

    resources: dict[int, Present] = field(default_factory=dict)
    writes: list[Resource] = field(default_factory=list)
    rows: dict[int, dict[Speaker, StatementRow]] = field(default_factory=dict)
    parts: dict[int, set[int]] = field(default_factory=dict)  # keys of parts by container
    containers: dict[int, ContainerRow] = field(default_factory=dict)
    awaited: dict[int, set[int]] = field(default_factory=dict)  # referrers by target
    came: set[int] = field(default_factory=set)
    rows_heard: dict[tuple[int, str], int] = field(default_factory=dict)
    keys: dict[bytes, str] = field(default_factory=dict)
    persons: dict[Person, PersonRow | None] = field(default_factory=dict)
    of_patient: dict[str, set[Person]] = field(default_factory=dict)
    links: list[tuple[str, str, str, str, str]] = field(default_factory=list)
    reviews: list[ReviewRow] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    follows: list[Follow] = field(default_factory=list)
    heard: dict[Person, int] = field(default_factory=dict)

    def absorb(self, other: Changes) -> None:
        """Takes over what a draft over this one changes."""
        self.resources |= other.resources
        self.writes += other.writes
        for key, rows in other.rows.items():
            self.rows[key] = self.rows.get(key, {}) | rows
        for container, keys in other.parts.items():
            self.parts[container] = self.parts.get(container, set()) | keys
        self.containers |= other.containers
        for target, referrers in other.awaited.items():
            self.awaited.setdefault(target, set()).update(referrers)
        self.came |= other.came
        self.rows_heard |= other.rows_heard
        self.keys |= other.keys
        self.persons |= other.persons
        for patient_id, places in other.of_patient.items():
            self.of_patient[patient_id] = self.of_patient.get(patient_id, set()) | places
        self.links += other.links
        self.reviews += other.reviews
        self.moves += other.moves
        self.follows += other.follows
        self.heard |= other.heard

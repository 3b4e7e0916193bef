"""The values that go in and out of the record."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from fhir_bridge.database import instant_of, unpacked
from fhir_bridge.errors import Issue

__all__ = [
    "COLUMNS",
    "Page",
    "Stored",
    "Written",
    "stored",
]

Outcome = Literal["created", "updated", "unchanged", "deleted"]


@dataclass(frozen=True, slots=True)
class Stored:
    """One version of a resource; `body` is the exact JSON as served, empty when deleted."""

    resource_type: str
    id: str
    version: int
    last_updated: str
    deleted: bool
    body: bytes
    row_id: int = 0


@dataclass(frozen=True, slots=True)
class Written:
    """What a write did."""

    resource_type: str
    id: str
    version: int
    last_updated: str
    outcome: Outcome
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of an answer.

    `total` is None when it was not asked for; `next` is the cursor of the following page,
    "" on the last one; `truncated` says that more would have been included than is allowed;
    `issues` are what is to be said of what was included.
    """

    matches: list[Stored] = field(default_factory=list)
    includes: list[Stored] = field(default_factory=list)
    total: int | None = None
    next: str = ""
    truncated: bool = False
    issues: list[Issue] = field(default_factory=list)


COLUMNS = "r.row_id, r.type, r.id, r.version, r.last_updated, r.deleted, r.compressed, r.body"
"""What `stored` reads, of ``resource r``."""


def stored(row: tuple[Any, ...], types: dict[int, str]) -> Stored:
    """A row of `COLUMNS` as value; `types` are the names of types by number."""
    row_id, type_number, id_, version, last_updated, deleted, compressed, body = row
    return Stored(
        types[type_number],
        id_,
        version,
        instant_of(last_updated),
        bool(deleted),
        unpacked(compressed, body),
        row_id,
    )

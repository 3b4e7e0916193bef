"""What a batch has read of the record, each thing once."""

from __future__ import annotations

from dataclasses import dataclass, field

from fhir_bridge.store import ContainerRow, PersonRow, StatementRow

from .changes import Present

__all__ = ["Reads"]


@dataclass(slots=True)
class Reads:
    """What was read of the record, once for a batch."""

    resources: dict[int, Present | None] = field(default_factory=dict)
    versions: dict[int, int] = field(default_factory=dict)
    rows: dict[int, list[StatementRow]] = field(default_factory=dict)
    containers: dict[int, ContainerRow | None] = field(default_factory=dict)
    keys: dict[bytes, str] = field(default_factory=dict)
    persons: dict[str, list[PersonRow]] = field(default_factory=dict)
    awaiting: dict[int, list[tuple[int, int]]] = field(default_factory=dict)

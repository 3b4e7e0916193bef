"""What refers to a visit or an account follows it when it moves or becomes part of another."""

from __future__ import annotations

from dataclasses import dataclass

from fhir_bridge.fhir import parse_json
from fhir_bridge.identity import speak_of
from fhir_bridge.store import Transaction

__all__ = ["Follow", "follow"]

_PAGE = 500


@dataclass(frozen=True, slots=True)
class Follow:
    """What refers to `reference` refers to `new` in place of `old` once the batch is written.

    For a visit that moved, its results speak of the other person; for one that became part
    of another, of that visit (then `old` is the reference itself).
    """

    reference: str
    old: str
    new: str


def follow(record: Transaction, change: Follow) -> None:
    """Carries out `change` on what is stored; call it when the batch is written."""
    kind, _, id_ = change.reference.partition("/")
    limit = _PAGE
    while len(stored := record.referring(kind, id_, limit)) == limit:
        limit *= 4
    for start in range(0, len(stored), _PAGE):
        page = [parse_json(each.body) for each in stored[start : start + _PAGE]]
        speak_of(record, page, change.old, change.new)

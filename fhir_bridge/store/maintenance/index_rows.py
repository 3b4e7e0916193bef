"""Index rows as they are stored and as the bodies ask for them, compared by hashes.

The index tables are made for values, not for rows: what is stored of one version is found
by reading a table as a whole.  So versions are compared in ranges of `RANGE` changes: one
pass over each table keeps eight bytes an index row of the range (some 75 MB in all), then
each body is indexed anew and its rows are looked up among them.  The cost of a resource
stays the same until the passes weigh more than the indexing, at tens of millions.
"""
# ruff: noqa: S608 (SQL is put together from fixed text; every value is a parameter)

from __future__ import annotations

from array import array
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from fhir_bridge.database import Session
from fhir_bridge.fhir import Resource
from fhir_bridge.search import IndexRows
from fhir_bridge.search.hashing import resource_key
from fhir_bridge.store.store import Store

__all__ = ["REFERENCE", "SHAPES", "Hashes", "Shape", "ranges", "rows_of", "stored_hashes"]

RANGE = 250_000
_FIRST, _LAST = -(1 << 63), (1 << 63) - 1

Values = tuple[Any, ...]
Hashes = dict[int, "array[int]"]
"""The hashes of the stored index rows of each version, by its number."""


@dataclass(frozen=True, slots=True)
class Shape:
    """One index table: its columns beside ``row_id``, `keys` of which are in its key."""

    table: str
    columns: tuple[str, ...]
    keys: int
    rows: Callable[[IndexRows], Iterable[Values]]

    def hash(self, values: Values) -> int:
        """A number that stands for one row of this table, the same within this process."""
        return hash((self.table, *values))

    def stored(self, session: Session, low: int, high: int) -> Iterator[Values]:
        """(row number, values…) of the versions from `low` to `high`."""
        return session.stream(
            f"SELECT row_id, {', '.join(self.columns)} FROM {self.table}"
            " WHERE row_id BETWEEN ? AND ?",
            (low, high),
        )

    def insert(self, session: Session, rows: list[Values]) -> None:
        """Adds (row number, values…), also where the same key stands with another value."""
        if self.keys < len(self.columns):
            self.delete(session, rows)
        session.bulk(self.table, ("row_id", *self.columns), sorted(rows))

    def delete(self, session: Session, rows: Iterable[Values]) -> None:
        """Deletes (row number, values…) by their keys."""
        keys = " AND ".join(f"{name} = ?" for name in self.columns[: self.keys])
        session.many(
            f"DELETE FROM {self.table} WHERE row_id = ? AND {keys}",
            [row[: self.keys + 1] for row in rows],
        )


def _texts(rows: IndexRows) -> Iterable[Values]:
    """A text that is both a value and a derived form counts as value."""
    kept: dict[tuple[int, str], int] = {}
    for key, value, derived in rows.texts:
        kept[key, value] = min(derived, kept.get((key, value), 1))
    return [(*each, derived) for each, derived in kept.items()]


SHAPES = (
    Shape("posting", ("hash", "date"), 2, lambda rows: [(v, rows.date) for v in rows.postings]),
    Shape("string_value", ("key", "value", "derived"), 2, _texts),
    Shape("date_value", ("key", "low", "high"), 3, lambda rows: rows.dates),
    Shape("span", ("key", "low", "high"), 3, lambda rows: rows.spans),
    Shape(
        "quantity_value",
        ("key", "low", "high", "system", "code", "unit"),
        6,
        lambda rows: rows.quantities,
    ),
)
"""The tables whose rows go when a replaced version is collected."""

REFERENCE = Shape(
    "reference",
    ("target", "member"),
    1,
    lambda rows: [(target, int(member)) for target, member in rows.references.items()],
)
"""The table whose rows stay with every version, for the rights on its history."""


def ranges(place: int, end: int) -> Iterator[tuple[int, int]]:
    """(first, last) change of each range after `place`; the outer ones have no border."""
    for after in range(place, max(end, place + 1), RANGE):
        yield (after + 1 if after else _FIRST), (after + RANGE if after + RANGE < end else _LAST)


def stored_hashes(
    session: Session,
    shapes: Iterable[Shape],
    low: int,
    high: int,
    wanted: Collection[int] | None = None,
) -> Hashes:
    """The hashes of what is stored in a range; `wanted`: of these versions only."""
    found: Hashes = {}
    for shape in shapes:
        table = shape.table
        for row_id, *values in shape.stored(session, low, high):
            hashes = found.get(row_id)
            if hashes is None:
                if wanted is not None and row_id not in wanted:
                    continue
                hashes = found[row_id] = array("q")
            hashes.append(hash((table, *values)))
    return found


def rows_of(store: Store, resource: Resource) -> IndexRows:
    """The index rows that a body asks for."""
    rows = store.indexer.rows(resource)
    if resource["resourceType"] == "Patient":  # a Patient is in its own compartment
        rows.references[resource_key("Patient", resource["id"])] = True
    return rows

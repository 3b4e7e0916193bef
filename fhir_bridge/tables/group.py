"""Several lines of a table as one record (a team with its members)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from fhir_bridge.errors import BridgeError, Issue
from fhir_bridge.tables.row import Cell, Row

__all__ = ["Group", "group_rows"]


class Group:
    """Following rows with one key: a column answers from the first row, ``rows`` from all."""

    __slots__ = ("rows",)

    def __init__(self, rows: list[Row]) -> None:
        self.rows = rows

    def get(self, name: str) -> Cell | list[Row] | None:
        """The first row's cell, or all rows under ``rows``."""
        return self.rows if name == "rows" else self.rows[0].get(name)

    def keys(self) -> Iterable[str]:
        """The columns, and ``rows``."""
        return [*self.rows[0].keys(), "rows"]

    @property
    def number(self) -> int:
        """The number of the first row."""
        return self.rows[0].number

    @property
    def issues(self) -> tuple[Issue, ...]:
        """What was odd in any of the rows."""
        return tuple(issue for row in self.rows for issue in row.issues)

    @property
    def where(self) -> str:
        """For example ``rows 7 to 12``."""
        first, last = self.rows[0], self.rows[-1]
        if first is last:
            return first.where
        return f"{first.source}s {first.number} to {last.number}"

    def as_dict(self) -> dict[str, Any]:
        """The first row's cells, and all rows under ``rows``: one JSON object."""
        return {**self.rows[0].as_dict(), "rows": [row.as_dict() for row in self.rows]}


def group_rows(rows: Iterable[Row], column: str) -> Iterator[Group]:
    """Groups of following rows that share the cell of `column`.

    A row that already holds ``rows`` (JSON) is a group as it stands.  Raises BridgeError
    FB-1307 when the table has no such column.
    """
    gathered: list[Row] = []
    key: str | None = None
    for row in rows:
        if column not in row.keys():  # noqa: SIM118 - a node is no mapping
            raise BridgeError("FB-1307", row.where, column=column)
        nested = row.get("rows")
        if isinstance(nested, list):
            if gathered:
                yield Group(gathered)
            gathered, key = [], None
            yield Group(nested)
            continue
        cell = row.get(column)
        value = None if cell is None else str(cell)
        if gathered and value != key:
            yield Group(gathered)
            gathered = []
        gathered.append(row)
        key = value
    if gathered:
        yield Group(gathered)

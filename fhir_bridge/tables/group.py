"""Several lines of a table as one record (a team with its members).

Lines of one record usually follow each other.  Where some lie apart, they are gathered all
the same: the table is read once for its keys and once for its rows, and only records whose
lines lie apart are held until the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from fhir_bridge.errors import BridgeError, Issue
from fhir_bridge.tables.row import Cell, Row

__all__ = ["MAX_ROWS", "Group", "group_rows"]

MAX_ROWS = 10_000
"""Lines of one record: they are held together, and so is what a map makes of them."""


class Group:
    """The rows of one key: a column answers from the first row, ``rows`` from all.

    ``contested`` holds the number of the person (the first filled of the columns that name
    one) where the same key stands for another person too; absent otherwise.
    """

    __slots__ = ("_contested", "_found", "rows")

    def __init__(self, rows: list[Row], contested: Cell | None = None, column: str = "") -> None:
        self.rows = rows
        self._contested = contested
        details = {"column": column}
        self._found = () if not column else (Issue("FB-1315", "warning", self.where, details),)

    def get(self, name: str) -> Cell | list[Row] | None:
        """The first row's cell, all rows under ``rows``, ``contested``."""
        if name == "contested":
            return self._contested
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
        return self._found + tuple(issue for row in self.rows for issue in row.issues)

    @property
    def rounded(self) -> list[Cell]:
        """The cells read so far whose last digits are lost."""
        return [cell for row in self.rows for cell in row.rounded]

    @property
    def where(self) -> str:
        """For example ``rows 7 to 12``, or ``rows 7, 9`` where they lie apart."""
        first, last = self.rows[0], self.rows[-1]
        if first is last:
            return first.where
        if last.number - first.number == len(self.rows) - 1:
            return f"{first.source}s {first.number} to {last.number}"
        return f"{first.source}s {', '.join(str(row.number) for row in self.rows)}"

    def as_dict(self) -> dict[str, Any]:
        """The first row's cells, and all rows under ``rows``: one JSON object."""
        found = {**self.rows[0].as_dict(), "rows": [row.as_dict() for row in self.rows]}
        return found if self._contested is None else {**found, "contested": str(self._contested)}


def group_rows(
    read: Callable[[], Iterable[Row]], column: str, whose: Sequence[str] = ()
) -> Iterator[Group]:
    """Groups of the rows that share the cell of `column`; `read` reads the table.

    A row that already holds ``rows`` (JSON) is a group as it is.  Rows of one key that
    differ in the first column of `whose` that both fill are groups of their own, told with
    FB-1315.  Raises BridgeError FB-1307 when the table has no such column, FB-1316 for a record
    of more than MAX_ROWS rows.
    """
    apart = _keys_apart(read(), column)
    held: dict[str, list[Row]] = {}
    for key, rows in _runs(read(), column):
        if key in apart:
            _extend(held.setdefault(key, []), rows)
            continue
        nested = rows[0].get("rows")
        if isinstance(nested, list):
            yield _as_sent(rows[0], nested)
        else:
            yield from _by_person(rows, column, whose)
    for rows in held.values():
        yield from _by_person(rows, column, whose)


def _as_sent(row: Row, nested: list[Row]) -> Group:
    contested = row.get("contested")
    return Group(nested, contested if isinstance(contested, Cell) else None)


def _keys_apart(rows: Iterable[Row], column: str) -> set[str]:
    seen: set[str] = set()
    apart: set[str] = set()
    try:
        for key, _ in groupby(rows, lambda row: _key(row, column)):
            if key in seen and key:
                apart.add(key)
            seen.add(key)
    except BridgeError:
        pass  # raised again in its place, behind the rows that can be read
    return apart


def _runs(rows: Iterable[Row], column: str) -> Iterator[tuple[str, list[Row]]]:
    """Rows that follow each other with one key; those of a row with its own ``rows`` alone."""
    gathered: list[Row] = []
    before = ""
    for row in rows:
        key = _key(row, column)
        alone = isinstance(row.get("rows"), list)
        if gathered and (alone or key != before):
            yield before, gathered
            gathered = []
        if alone:
            yield "", [row]
            continue
        _extend(gathered, [row])
        before = key
    if gathered:
        yield before, gathered


def _extend(gathered: list[Row], rows: list[Row]) -> None:
    if len(gathered) + len(rows) > MAX_ROWS:
        raise BridgeError("FB-1316", rows[0].where, limit=MAX_ROWS)
    gathered += rows


def _key(row: Row, column: str) -> str:
    if column not in row.keys():  # noqa: SIM118 - a node is no mapping
        raise BridgeError("FB-1307", row.where, column=column)
    cell = row.get(column)
    return "" if cell is None else str(cell)


def _by_person(rows: list[Row], column: str, whose: Sequence[str]) -> Iterator[Group]:
    """One group, or one for each person that the rows name."""
    persons: list[list[Row]] = []
    for row in rows:
        same = next((each for each in persons if not _differ(each[0], row, whose)), None)
        if same is None:
            persons.append([row])
        else:
            same.append(row)
    if len(persons) == 1:
        yield Group(rows)
        return
    for place, own in enumerate(persons):
        named = next(filter(None, (own[0].get(name) for name in whose)), None)
        yield Group(own, named if place and isinstance(named, Cell) else None, column)


def _differ(one: Row, other: Row, whose: Sequence[str]) -> bool:
    for name in whose:
        first, second = one.get(name), other.get(name)
        if first is not None and second is not None:
            return str(first).upper() != str(second).upper()
    return False

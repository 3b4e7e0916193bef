"""Which columns of a row nobody read, told after the row was read.

A row keeps which cells it was asked for and a cell whether its text was put somewhere.  A
place is the column as its sender wrote it; of rows within a row, the names joined by a point.
In a group of rows a cell that repeats the first row's is read with it.
"""

from __future__ import annotations

from fhir_bridge.tables.group import Group
from fhir_bridge.tables.row import Cell, Row

__all__ = ["Place", "unread"]

Place = tuple[str, bool, str]
"""A column, whether it was looked at, and its text."""


def unread(record: Row | Group) -> list[Place]:
    """Whatever of the record holds something and went nowhere."""
    found: list[Place] = []
    rows = [record] if isinstance(record, Row) else record.rows
    for number, row in enumerate(rows):
        _cells(row, "", rows[:1] if number else [], found)
    return found


def _is_carried(cell: Cell) -> bool:
    """Whether the cell or a part of it was put somewhere."""
    if cell.carried:
        return True
    if cell.answers is None:
        return False
    for answer in cell.answers.values():
        if answer is None:
            continue
        for part in answer if isinstance(answer, list) else [answer]:
            if isinstance(part, Cell) and part is not cell and _is_carried(part):
                return True
    return False


def _cells(row: Row, before: str, heads: list[Row], found: list[Place]) -> None:
    answers = row.answers.copy()
    for name in row.keys():  # noqa: SIM118 - a row is no mapping
        looked = name in answers
        cell = answers[name] if looked else row.get(name)
        if cell is None:
            continue
        if isinstance(cell, Cell):
            if not (cell.carried or _is_carried(cell)) and not any(
                head.get(name) == cell for head in heads
            ):
                found.append((f"{before}{name}", looked, cell))
        elif looked:
            for inner in cell:
                _cells(inner, f"{before}{name}.", [], found)
        else:
            found.append((f"{before}{name}", False, ""))

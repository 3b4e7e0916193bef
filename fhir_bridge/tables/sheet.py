"""Which sheets of a file hold the table, and where in each the line of column names is.

A workbook often begins with notes, and holds a month on each sheet.  Every sheet that has the
required columns (or, where none are required, most columns of the first table) is read; what
is not read and not empty is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import islice

from fhir_bridge.errors import BridgeError, Issue
from fhir_bridge.tables.delimited import Dialect
from fhir_bridge.tables.header import clean_name, find_header, names_of

__all__ = ["Sheet", "Table", "find_tables", "headers"]

_MAX_HEADER_ROW = 10
_MAX_SUGGESTIONS = 8


@dataclass(frozen=True, slots=True)
class Sheet:
    """A named run of records; `records` can be read again from the start."""

    name: str
    records: Iterable[list[str]]


@dataclass(slots=True)
class Table:
    """A sheet with the line of its column names (0 is the first), and what to tell of others."""

    sheet: Sheet
    header: int
    names: list[str]
    issues: list[Issue] = field(default_factory=list)


def headers(sheets: Sequence[Sheet]) -> list[set[str]]:
    """The column names of each sheet that has such a line."""
    found = [_table(sheet, Dialect()) for sheet in sheets]
    return [set(table.names) for table in found if table is not None]


def find_tables(sheets: Sequence[Sheet], dialect: Dialect) -> list[Table]:
    """The tables to read, in order.

    Raises BridgeError FB-1302 when no sheet has column names, FB-1305 when the named sheet is
    not there, FB-1309 when a required column is in none.
    """
    if dialect.sheet:
        sheets = [sheet for sheet in sheets if sheet.name == dialect.sheet]
        if not sheets:
            raise BridgeError("FB-1305", reason=f"it has no sheet {dialect.sheet}")
    found = [(sheet, _table(sheet, dialect)) for sheet in sheets]
    tables = [table for _, table in found if table is not None]
    if not tables:
        raise BridgeError("FB-1302", "row 1")
    complete = [table for table in tables if not _missing(table.names, dialect)]
    if not complete:
        raise _lacking(tables, dialect)
    first = complete[0]
    chosen = [table for table in complete if dialect.required or _is_like(table, first)]
    read = {id(table.sheet) for table in chosen}
    chosen[0].issues += [
        Issue("FB-1310", "warning", f"sheet {sheet.name}", {"sheet": sheet.name})
        for sheet, _ in found
        if id(sheet) not in read and _is_filled(sheet)
    ]
    return chosen


def _table(sheet: Sheet, dialect: Dialect) -> Table | None:
    """The sheet with its line of names: the first that has all required ones, else the likeliest."""
    start = list(islice(sheet.records, max(dialect.header_row or 0, _MAX_HEADER_ROW)))
    if dialect.header_row:
        place: int | None = dialect.header_row - 1
    else:
        place = next(
            (n for n, line in enumerate(start) if dialect.required and _has_all(line, dialect)),
            None,
        )
        if place is None:
            place = find_header(start)
    if place is None or place >= len(start):
        return None
    names = names_of(start[place])
    return Table(sheet, place, names) if names else None


def _has_all(line: Sequence[str], dialect: Dialect) -> bool:
    return {clean_name(cell) for cell in line} >= set(dialect.required)


def _missing(names: Sequence[str], dialect: Dialect) -> list[str]:
    return [name for name in dialect.required if name not in names]


def _is_like(table: Table, first: Table) -> bool:
    return len(set(table.names) & set(first.names)) * 2 > len(set(first.names))


def _is_filled(sheet: Sheet) -> bool:
    return any(any(cell.strip() for cell in record) for record in sheet.records)


def _lacking(tables: Sequence[Table], dialect: Dialect) -> BridgeError:
    """The table that lacks least, with the column found that is most like the one wanted."""
    best = min(tables, key=lambda table: len(_missing(table.names, dialect)))
    wanted = _missing(best.names, dialect)[0]
    found = get_close_matches(wanted, best.names, 1, 0.5) or best.names[:_MAX_SUGGESTIONS]
    where = f"row {best.header + 1}"
    if best.sheet.name:
        where = f"sheet {best.sheet.name}, {where}"
    return BridgeError("FB-1309", where, column=wanted, found="、".join(found))

"""The one door to rows: which form the bytes have, and the stream of rows in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from io import BytesIO
from itertools import chain, islice
from typing import BinaryIO

from fhir_bridge.errors import BridgeError, Issue
from fhir_bridge.tables import json_rows
from fhir_bridge.tables.charset import decoded_lines
from fhir_bridge.tables.dbf import dbf_sheet, is_dbf
from fhir_bridge.tables.delimited import Dialect, delimited_records
from fhir_bridge.tables.header import clean_name, column_index
from fhir_bridge.tables.row import Clearing, Row, clean_cell, holds_no_value
from fhir_bridge.tables.sheet import Sheet, Table, find_tables, headers
from fhir_bridge.tables.words import is_no_record
from fhir_bridge.tables.workbook import workbook_sheets

__all__ = ["is_json", "read_headers", "read_rows"]

_MAX_HEADER_ROW = 20
_PACKED = b"PK\x03\x04"
_OLD_WORKBOOK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MARKUP = (b"<html", b"<!doctype", b"<table", b"<?xml", b"<meta", b"{\\rtf", b"%pdf")


def read_rows(
    stream: BinaryIO | bytes, *, charset: str | None = None, dialect: Dialect | None = None
) -> Iterator[Row]:
    """Rows of a CSV, TSV, XLSX, DBF or JSON table, in order, blank lines left out.

    Raises BridgeError FB-13xx, FB-1002 or FB-1003, naming the line or row, when the file
    cannot be read on; oddities of single rows are in ``Row.issues`` (FB-1303, FB-1306,
    FB-1310 to FB-1313).
    """
    dialect = dialect or Dialect()
    source = BytesIO(stream) if isinstance(stream, bytes) else stream
    start, source = _peek(source)
    if start.startswith(_PACKED):
        return _workbook(_bounded(source), dialect)
    if charset is None and is_json(start):
        return _json(_bounded(source), dialect)
    if is_dbf(start):
        return _issues_last(_sheets([dbf_sheet(_bounded(source), charset)], dialect))
    _refuse_others(start)
    return _issues_last(_delimited(source, charset, dialect))


def is_json(start: bytes) -> bool:
    """Whether bytes that begin so are JSON rows."""
    return start[:64].removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[")


def read_headers(data: bytes) -> list[set[str]]:
    """The column names of each table in `data`, for finding the feed that reads it."""
    if data.startswith(_PACKED):
        with workbook_sheets(data) as sheets:
            return headers(sheets)
    with closing(read_rows(data)) as rows:  # type: ignore[type-var]  # an iterator that closes
        first = next(rows, None)
    return [] if first is None else [set(first.keys())]


def _workbook(data: bytes, dialect: Dialect) -> Iterator[Row]:
    with workbook_sheets(data) as sheets:
        yield from _issues_last(_sheets(sheets, dialect))


def _delimited(source: BinaryIO, charset: str | None, dialect: Dialect) -> Iterator[Row]:
    """The rows of a stream, which is read once: its start is looked at first."""
    records = delimited_records(decoded_lines(source, charset), dialect)
    start = list(islice(records, max(dialect.header_row or 0, _MAX_HEADER_ROW)))
    (table,) = find_tables([Sheet("", start)], dialect)
    return _rows(table, chain(start, records), dialect, "row")


def _sheets(sheets: Sequence[Sheet], dialect: Dialect) -> Iterator[Row]:
    tables = find_tables(sheets, dialect)
    for table in tables:
        named = len(tables) > 1
        source = f"sheet {table.sheet.name}, row" if named else "row"
        yield from _rows(table, table.sheet.records, dialect, source)


def _rows(
    table: Table, records: Iterable[list[str]], dialect: Dialect, source: str
) -> Iterator[Row]:
    numbered = islice(enumerate(records, 1), table.header, None)
    number, names = next(numbered)
    index, issues = column_index(names, f"{source} {number}")
    issues = [*table.issues, *issues]
    titles = [clean_name(name) for name in names]
    clearing = _clearing(dialect)
    for number, record in numbered:
        where = f"{source} {number}"
        if not any(cell.strip() for cell in record):
            continue
        if is_no_record(record):
            issues.append(Issue("FB-1311", "warning", where))
            continue
        if _is_like(record, titles):
            continue  # the names again, at the head of a printed page
        issues += _oddities(record, index, where, len(names))
        row = Row(index, record, number, issues=tuple(issues), source=source, clearing=clearing)
        row.issues += tuple(_unnamed(row, dialect.required))
        issues = []
        yield row
    if issues:
        yield _TrailingIssues(tuple(issues))


def _is_like(record: list[str], titles: list[str]) -> bool:
    """Whether the record is the line of column names; most differ in their first cell."""
    return len(record) == len(titles) and all(
        clean_name(cell) == title for cell, title in zip(record, titles, strict=True)
    )


class _TrailingIssues(Row):
    """What was found after the last row."""

    def __init__(self, issues: tuple[Issue, ...]) -> None:
        super().__init__({}, (), 0, issues=issues)


def _issues_last(rows: Iterator[Row]) -> Iterator[Row]:
    """`rows`, where the last one also tells what was found behind it."""
    held: Row | None = None
    for row in rows:
        if isinstance(row, _TrailingIssues):
            if held is None:
                continue
            held.issues += row.issues
            continue
        if held is not None:
            yield held
        held = row
    if held is not None:
        yield held


def _oddities(record: list[str], index: dict[str, int], where: str, width: int) -> Iterator[Issue]:
    if len(record) != width and _misses(record, width):
        details = {"found": str(len(record)), "expected": str(width)}
        yield Issue("FB-1303", "warning", where, details)
    if "#" in "\t".join(record):
        for name, position in index.items():
            if position < len(record) and holds_no_value(record[position]):
                yield Issue("FB-1313", "warning", f"{where}, column {name}", {"column": name})


def _misses(record: list[str], width: int) -> bool:
    """Cells beyond the header hold text, or cells are missing."""
    return len(record) < width or any(cell.strip() for cell in record[width:])


def _unnamed(row: Row, required: Sequence[str]) -> Iterator[Issue]:
    """A row without what names it is no record."""
    for column in required:
        if row.get(column) is None:
            yield Issue("FB-1312", "error", f"{row.where}, column {column}", {"column": column})


def _clearing(dialect: Dialect) -> Clearing | None:
    if not dialect.clear and dialect.empty != "clear":
        return None
    texts = frozenset({*dialect.clear, *map(clean_cell, dialect.clear)} - {""})
    return Clearing(texts, dialect.empty == "clear")


def _json(data: bytes, dialect: Dialect) -> Iterator[Row]:
    clearing = _clearing(dialect)
    for number, record in enumerate(json_rows.json_records(data), 1):
        index = {name: place for place, name in enumerate(record)}
        row = Row(index, list(record.values()), number, clearing=clearing)
        row.issues = tuple(_unnamed(row, dialect.required))
        yield row


def _refuse_others(start: bytes) -> None:
    """Forms that look like tables to those who send them."""
    if start.startswith(_OLD_WORKBOOK):
        raise BridgeError("FB-1314", form="XLS (Excel 97-2003)")
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith(_MARKUP):
        raise BridgeError("FB-1314", form=text[:8].decode("ascii", "replace").strip())


def _peek(source: BinaryIO) -> tuple[bytes, BinaryIO]:
    start = source.read(64)
    if source.seekable():
        source.seek(-len(start), 1)
        return start, source
    return start, BytesIO(start + source.read())


def _bounded(source: BinaryIO) -> bytes:
    data = source.read(json_rows.MAX_BYTES + 1)
    if len(data) > json_rows.MAX_BYTES:
        raise BridgeError("FB-1003", limit=json_rows.MAX_BYTES)
    return data

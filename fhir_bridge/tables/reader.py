"""The one door to rows: which form the bytes have, and the stream of rows in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from io import BytesIO
from itertools import chain, islice
from typing import BinaryIO

from fhir_bridge.errors import BridgeError, Issue
from fhir_bridge.tables import json_rows
from fhir_bridge.tables.charset import decoded_lines
from fhir_bridge.tables.delimited import Dialect, delimited_records
from fhir_bridge.tables.header import column_index, find_header
from fhir_bridge.tables.row import Row
from fhir_bridge.tables.workbook import workbook_records

__all__ = ["read_rows"]

_LOOKED_AT = 10
_PACKED = b"PK\x03\x04"


def read_rows(
    stream: BinaryIO | bytes, *, charset: str | None = None, dialect: Dialect | None = None
) -> Iterator[Row]:
    """Rows of a CSV, TSV, XLSX or JSON table, in order, blank lines left out.

    Raises BridgeError FB-13xx, FB-1002 or FB-1003, naming the line or row, when the file
    cannot be read on; oddities of single rows are in ``Row.issues`` (FB-1303, FB-1306 on
    the first row).
    """
    dialect = dialect or Dialect()
    source = BytesIO(stream) if isinstance(stream, bytes) else stream
    start, source = _peek(source)
    if start.startswith(_PACKED):
        data = _bounded(source)
        return _rows(workbook_records(data, dialect), dialect)
    if charset is None and start.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"["):
        return _json(_bounded(source))
    return _rows(delimited_records(decoded_lines(source, charset), dialect), dialect)


def _rows(records: Iterable[list[str]], dialect: Dialect) -> Iterator[Row]:
    numbered = enumerate(records, 1)
    start = list(islice(numbered, dialect.header_row or _LOOKED_AT))
    found = dialect.header_row - 1 if dialect.header_row else find_header([r for _, r in start])
    if found is None or found >= len(start):
        raise BridgeError("FB-1302", "row 1")
    number, names = start[found]
    index, issues = column_index(names, f"row {number}")
    if not index:
        raise BridgeError("FB-1302", f"row {number}")
    width = len(names)
    for number, record in chain(start[found + 1 :], numbered):
        if not any(cell.strip() for cell in record):
            continue
        if len(record) != width and _misses(record, width):
            details = {"found": str(len(record)), "expected": str(width)}
            issues.append(Issue("FB-1303", "warning", f"row {number}", details))
        yield Row(index, record, number, issues=tuple(issues))
        issues.clear()


def _misses(record: list[str], width: int) -> bool:
    """Cells beyond the header hold text, or cells are missing."""
    return len(record) < width or any(cell.strip() for cell in record[width:])


def _json(data: bytes) -> Iterator[Row]:
    for number, record in enumerate(json_rows.json_records(data), 1):
        index = {name: place for place, name in enumerate(record)}
        yield Row(index, list(record.values()), number)


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
